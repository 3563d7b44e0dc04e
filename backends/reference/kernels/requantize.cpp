#include <algorithm>

#include "backends/channels.h"
#include "backends/reference/kernel.h"
#include "ir/numerics.h"

namespace stair::backends::reference {
namespace {

// The bias of a channel by its kind (N-BIAS): one of the two is 0.
struct Bias {
  std::int32_t integer = 0;
  float steps = 0;

  Bias(const Arguments& a, std::size_t operand, std::int64_t c) {
    if (!a.has(operand)) return;
    if (a.operands[operand].type.dtype == ir::DType::i32) {
      integer = of_channel<std::int32_t>(a.operands[operand], c);
    } else {
      steps = of_channel<float>(a.operands[operand], c);
    }
  }
};

// N-REQ-FLOAT
void run_requantize(const ir::Node& node, const Arguments& a) {
  const std::int32_t zero_point = *a.operands[2].as<std::int32_t>();
  const ir::Range range = range_of(node, a, 4);
  const bool float_bias = a.has(3) && a.operands[3].type.dtype == ir::DType::f32;
  for_quantized(a.results[0].type.dtype, [&]<class Q>() {
    const auto* acc = a.operands[0].as<std::int32_t>();
    Q* q = a.results[0].as<Q>();
    const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
    view.for_each(a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      const float multiplier = of_channel<float>(a.operands[1], c);
      const Bias bias(a, 3, c);
      for (std::int64_t i = first; i < last; ++i) {
        float t = static_cast<float>(ir::wrapping_add(acc[i], bias.integer)) * multiplier;
        if (float_bias) t = t + bias.steps;
        q[i] = static_cast<Q>(ir::requantize_rescaled(t, zero_point, range));
      }
    });
  });
}

// N-REQ-FIXED
void run_requantize_fixed(const ir::Node& node, const Arguments& a) {
  const std::int32_t zero_point = *a.operands[3].as<std::int32_t>();
  const ir::Range range = range_of(node, a, 5);
  const bool float_bias = a.has(4) && a.operands[4].type.dtype == ir::DType::f32;
  for_quantized(a.results[0].type.dtype, [&]<class Q>() {
    const auto* acc = a.operands[0].as<std::int32_t>();
    Q* q = a.results[0].as<Q>();
    const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
    view.for_each(a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      const ir::FixedMultiplier multiplier{of_channel<std::int32_t>(a.operands[1], c), of_channel<std::int32_t>(a.operands[2], c)};
      const Bias bias(a, 4, c);
      for (std::int64_t i = first; i < last; ++i) {
        if (float_bias) {
          q[i] = static_cast<Q>(ir::requantize_rescaled(ir::rescale_by_fixed(acc[i], multiplier) + bias.steps, zero_point, range));
        } else {
          const std::int32_t scaled = ir::multiply_by_fixed(ir::wrapping_add(acc[i], bias.integer), multiplier);
          q[i] = static_cast<Q>(std::clamp<std::int64_t>(std::int64_t{scaled} + zero_point, range.lo, range.hi));
        }
      }
    });
  });
}

}  // namespace

void requantize(FunctionKernels& kernels) {
  kernels.add("requantize", {run_requantize});
  kernels.add("requantize_fixed", {run_requantize_fixed});
}

}  // namespace stair::backends::reference
