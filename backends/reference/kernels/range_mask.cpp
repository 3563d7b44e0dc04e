#include "backends/channels.h"
#include "backends/reference/kernel.h"
#include "ir/straight_through.h"

namespace stair::backends::reference {
namespace {

// N-STE
void run_range_mask(const ir::Node& node, const Arguments& a) {
  const ir::Range range = range_of(node);
  const std::int32_t zero_point = *a.operands[2].as<std::int32_t>();
  const std::vector<double>& clamp = node.attributes.numbers("clamp");
  auto* mask = a.results[0].as<std::uint8_t>();
  std::fill_n(mask, a.results[0].count(), std::uint8_t{0});
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* x = a.operands[0].as<Real>();
    const ir::Quotients<Real> inside = ir::quotients_inside<Real>(range, zero_point);
    const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
    const int one_thread = 1;  // runs share bytes of the mask
    view.for_each(one_thread, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      const Real scale = of_channel<Real>(a.operands[1], c);
      for (std::int64_t i = first; i < last; ++i) {
        const Real t = x[i] / scale;
        const bool above = clamp.empty() || x[i] > static_cast<Real>(clamp[0]);
        const bool below = clamp.size() < 2 || x[i] < static_cast<Real>(clamp[1]);
        if (t >= inside.least && t <= inside.most && above && below) mask[i / 8] = static_cast<std::uint8_t>(mask[i / 8] | 1U << i % 8);
      }
    });
  });
}

}  // namespace

void range_mask(FunctionKernels& kernels) {
  kernels.add("range_mask", {run_range_mask});
}

}  // namespace stair::backends::reference
