#include "backends/backend.h"
#include "backends/multiversion.h"
#include "backends/openblas/channel_runs.h"

namespace stair::backends::openblas {
namespace {

STAIR_MULTIVERSION void apply_sign(const std::int8_t* q, int sign, std::int8_t* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<std::int8_t>(q[i] * sign);
}

// N-BN-SCALE
void run_scale_channels(const ir::Node&, const Arguments& a) {
  const ChannelView view(a.operands[0].type.shape, 0);
  for_single_runs(view, a.operands[1].count() == 1, a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
    apply_sign(a.operands[0].as<std::int8_t>() + first, of_channel<std::int8_t>(a.operands[1], c), a.results[0].as<std::int8_t>() + first,
               last - first);
  });
}

}  // namespace

void scale_channels(FunctionKernels& kernels) {
  kernels.add("scale_channels", {run_scale_channels, "vector loops"});
}

}  // namespace stair::backends::openblas
