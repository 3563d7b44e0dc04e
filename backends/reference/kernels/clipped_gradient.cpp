#include "backends/channels.h"
#include "backends/reference/kernel.h"
#include "ir/straight_through.h"

namespace stair::backends::reference {
namespace {

// N-STE
void run_clipped_gradient(const ir::Node& node, const Arguments& a) {
  const ir::Range range = range_of(node);
  const std::int32_t zero_point = *a.operands[3].as<std::int32_t>();
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    const Real* x = a.operands[1].as<Real>();
    Real* dx = a.results[0].as<Real>();
    const ir::Quotients<Real> inside = ir::quotients_inside<Real>(range, zero_point);
    const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
    view.for_each(a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      const Real scale = of_channel<Real>(a.operands[2], c);
      for (std::int64_t i = first; i < last; ++i) {
        const Real t = x[i] / scale;
        dx[i] = t >= inside.least && t <= inside.most ? dy[i] : Real{0};
      }
    });
  });
}

}  // namespace

void clipped_gradient(FunctionKernels& kernels) {
  kernels.add("clipped_gradient", {run_clipped_gradient});
}

}  // namespace stair::backends::reference
