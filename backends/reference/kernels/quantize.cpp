#include "backends/channels.h"
#include "backends/reference/kernel.h"
#include "ir/numerics.h"

namespace stair::backends::reference {
namespace {

// N-QUANT
void run_quantize(const ir::Node& node, const Arguments& a) {
  const ir::Range range = range_of(node);
  const std::int32_t zero_point = *a.operands[2].as<std::int32_t>();
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    for_quantized(a.results[0].type.dtype, [&]<class Q>() {
      const Real* x = a.operands[0].as<Real>();
      Q* q = a.results[0].as<Q>();
      const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
      view.for_each(a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
        const Real scale = of_channel<Real>(a.operands[1], c);
        for (std::int64_t i = first; i < last; ++i) q[i] = static_cast<Q>(ir::quantize(x[i], scale, zero_point, range));
      });
    });
  });
}

}  // namespace

void quantize(FunctionKernels& kernels) {
  kernels.add("quantize", {run_quantize});
}

}  // namespace stair::backends::reference
