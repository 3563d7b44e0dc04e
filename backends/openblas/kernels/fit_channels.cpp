#include "backends/backend.h"
#include "backends/channels.h"
#include "backends/multiversion.h"
#include "backends/openblas/parallel.h"
#include "ir/channel_fit.h"

namespace stair::backends::openblas {
namespace {

STAIR_MULTIVERSION void apply_sign(const std::int8_t* q, int sign, std::int8_t* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<std::int8_t>(q[i] * sign);
}

// Built for the instruction set that runs it: in the baseline its fused multiplication and its rounding are calls.
STAIR_MULTIVERSION ir::ChannelFit fit_of(const std::int8_t* q, std::int64_t length, float w_scale, float x_scale, float factor,
                                         const float* bias) {
  return ir::fit_channel({q, static_cast<std::size_t>(length)}, w_scale, x_scale, factor, bias);
}

// N-BIAS, N-BN-SCALE
void run_fit_channels(const ir::Node&, const Arguments& a) {
  const std::int64_t channels = a.results[1].count();
  const std::int64_t length = a.operands[0].count() / channels;
  const float x_scale = *a.operands[2].as<float>();
  for_runs(channels, length, a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t) {
    const std::int8_t* q = a.operands[0].as<std::int8_t>() + first;
    std::int8_t* weight = a.results[0].as<std::int8_t>() + first;
    const float w_scale = of_channel<float>(a.operands[1], c);
    const ir::ChannelFit fit = fit_of(q, length, w_scale, x_scale, a.has(3) ? a.operands[3].as<float>()[c] : 1,
                                      a.has(4) ? a.operands[4].as<float>() + c : nullptr);
    if (fit.exponent == 0) {
      if (fit.sign != 1 || weight != q) apply_sign(q, fit.sign, weight, length);
    } else {
      for (std::int64_t i = 0; i < length; ++i) weight[i] = fit.weight(q[i]);
    }
    a.results[1].as<float>()[c] = fit.weight_scale;
    a.results[2].as<float>()[c] = fit.step;
    a.results[3].as<std::int32_t>()[c] = fit.bias;
    a.results[4].as<float>()[c] = fit.plain_step(w_scale, x_scale);
  });
}

}  // namespace

void fit_channels(FunctionKernels& kernels) {
  kernels.add("fit_channels", {run_fit_channels, "vector loops"});
}

}  // namespace stair::backends::openblas
