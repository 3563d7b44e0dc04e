#include "backends/channels.h"
#include "backends/reference/kernel.h"
#include "ir/numerics.h"

namespace stair::backends::reference {
namespace {

// N-FAKE
void run_fake_quantize(const ir::Node& node, const Arguments& a) {
  const ir::Range range = range_of(node);
  const std::int32_t zero_point = *a.operands[2].as<std::int32_t>();
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* x = a.operands[0].as<Real>();
    Real* y = a.results[0].as<Real>();
    const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
    view.for_each(a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      const Real scale = of_channel<Real>(a.operands[1], c);
      for (std::int64_t i = first; i < last; ++i) y[i] = ir::dequantize(ir::quantize(x[i], scale, zero_point, range), scale, zero_point);
    });
  });
}

}  // namespace

void fake_quantize(FunctionKernels& kernels) {
  kernels.add("fake_quantize", {run_fake_quantize});
}

}  // namespace stair::backends::reference
