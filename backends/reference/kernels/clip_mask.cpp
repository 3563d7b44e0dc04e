#include "backends/reference/channels.h"
#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

void run_clip_mask(const ir::Node& node, const Arguments& a) {
  const ir::Range range = range_of(node);
  const std::int32_t zero_point = *a.operands[2].as<std::int32_t>();
  const std::vector<double>& clamp = node.attributes.numbers("clamp");
  auto* mask = a.results[0].as<std::uint8_t>();
  std::fill_n(mask, a.results[0].count(), std::uint8_t{0});
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* x = a.operands[0].as<Real>();
    const auto low = static_cast<Real>(range.lo - zero_point);
    const auto high = static_cast<Real>(range.hi - zero_point);
    const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
    const int one_thread = 1;  // runs share bytes of the mask
    view.for_each(one_thread, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      const Real scale = of_channel<Real>(a.operands[1], c);
      for (std::int64_t i = first; i < last; ++i) {
        const Real t = x[i] / scale;
        const bool above = clamp.empty() || x[i] > static_cast<Real>(clamp[0]);
        const bool below = clamp.size() < 2 || x[i] < static_cast<Real>(clamp[1]);
        if (t >= low && t <= high && above && below) mask[i / 8] = static_cast<std::uint8_t>(mask[i / 8] | 1U << i % 8);
      }
    });
  });
}

}  // namespace

void clip_mask(FunctionKernels& kernels) {
  kernels.add("clip_mask", {run_clip_mask});
}

}  // namespace stair::backends::reference
