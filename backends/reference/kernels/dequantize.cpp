#include "backends/channels.h"
#include "backends/reference/kernel.h"
#include "ir/numerics.h"

namespace stair::backends::reference {
namespace {

// N-DEQUANT
void run_dequantize(const ir::Node& node, const Arguments& a) {
  const std::int32_t zero_point = *a.operands[2].as<std::int32_t>();
  for_real(a.results[0].type.dtype, [&]<class Real>() {
    for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
      const Q* q = a.operands[0].as<Q>();
      Real* x = a.results[0].as<Real>();
      const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
      view.for_each(a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
        const Real scale = of_channel<Real>(a.operands[1], c);
        for (std::int64_t i = first; i < last; ++i) x[i] = ir::dequantize<Real>(q[i], scale, zero_point);
      });
    });
  });
}

}  // namespace

void dequantize(FunctionKernels& kernels) {
  kernels.add("dequantize", {run_dequantize});
}

}  // namespace stair::backends::reference
