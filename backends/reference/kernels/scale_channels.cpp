#include "backends/reference/channels.h"
#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

// N-BN-SCALE
void run_scale_channels(const ir::Node&, const Arguments& a) {
  const auto* q = a.operands[0].as<std::int8_t>();
  auto* y = a.results[0].as<std::int8_t>();
  const ChannelView view(a.operands[0].type.shape, 0);
  view.for_each(a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
    const int sign = of_channel<std::int8_t>(a.operands[1], c);
    for (std::int64_t i = first; i < last; ++i) y[i] = static_cast<std::int8_t>(q[i] * sign);
  });
}

}  // namespace

void scale_channels(FunctionKernels& kernels) {
  kernels.add("scale_channels", {run_scale_channels});
}

}  // namespace stair::backends::reference
