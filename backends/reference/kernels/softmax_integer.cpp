#include <algorithm>

#include "backends/channels.h"
#include "backends/reference/kernel.h"
#include "ir/integer_rows.h"

namespace stair::backends::reference {
namespace {

// N-SOFTMAX
void run_softmax_integer(const ir::Node& node, const Arguments& a) {
  const auto* table = a.operands[1].as<std::int32_t>();
  const std::int32_t mantissa = *a.operands[2].as<std::int32_t>();
  const std::int32_t shift = *a.operands[3].as<std::int32_t>();
  const std::int32_t zero_point = *a.operands[4].as<std::int32_t>();
  const ir::Range range = range_of(node);
  const ChannelView view(a.results[0].type.shape, node.attributes.integer("axis"));
  const auto row = [&]<class Q, class Y>(const Q* q, Y* y) {
    const std::int64_t last = view.channels * view.inner;
    std::int32_t largest = q[0];
    for (std::int64_t i = view.inner; i < last; i += view.inner) largest = std::max<std::int32_t>(largest, q[i]);
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < last; i += view.inner) sum += table[largest - q[i]];
    const std::uint64_t factor = ir::softmax_factor(mantissa, sum);
    for (std::int64_t i = 0; i < last; i += view.inner) {
      y[i] = static_cast<Y>(ir::softmax_quantized(table[largest - q[i]], factor, shift, zero_point, range));
    }
  };
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    for_quantized(a.results[0].type.dtype, [&]<class Y>() {
      parallel_for(view.outer, a.threads, [&](std::int64_t outer, int) {
        const std::int64_t first = outer * view.channels * view.inner;
        for (std::int64_t i = first; i < first + view.inner; ++i) row(a.operands[0].as<Q>() + i, a.results[0].as<Y>() + i);
      });
    });
  });
}

// N-SOFTMAX
void run_softmax_parameters(const ir::Node&, const Arguments& a) {
  const float x_scale = *a.operands[0].as<float>();
  for (std::int32_t d = 0; d < 256; ++d) a.results[0].as<std::int32_t>()[d] = ir::softmax_entry(d, x_scale);
  const ir::FixedMultiplier inverse = ir::fixed_multiplier(1 / static_cast<double>(*a.operands[1].as<float>()));
  *a.results[1].as<std::int32_t>() = inverse.mantissa;
  *a.results[2].as<std::int32_t>() = inverse.shift;
}

}  // namespace

void softmax_integer(FunctionKernels& kernels) {
  kernels.add("softmax_integer", {run_softmax_integer});
  kernels.add("softmax_parameters", {run_softmax_parameters});
}

}  // namespace stair::backends::reference
