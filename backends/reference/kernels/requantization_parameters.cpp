#include <algorithm>

#include "backends/channels.h"
#include "backends/reference/kernel.h"
#include "ir/channel_fit.h"
#include "ir/numerics.h"

namespace stair::backends::reference {
namespace {

// N-BIAS, N-BN-SCALE
void run_fit_channels(const ir::Node&, const Arguments& a) {
  const std::int64_t channels = a.results[1].count();
  const std::int64_t length = a.operands[0].count() / channels;
  const float x_scale = *a.operands[2].as<float>();
  for (std::int64_t c = 0; c < channels; ++c) {
    const std::int8_t* q = a.operands[0].as<std::int8_t>() + c * length;
    const float w_scale = of_channel<float>(a.operands[1], c);
    const ir::ChannelFit fit =
        ir::fit_channel({q, static_cast<std::size_t>(length)}, w_scale, x_scale, a.has(3) ? a.operands[3].as<float>()[c] : 1,
                        a.has(4) ? a.operands[4].as<float>() + c : nullptr);
    for (std::int64_t i = 0; i < length; ++i) a.results[0].as<std::int8_t>()[c * length + i] = fit.weight(q[i]);
    a.results[1].as<float>()[c] = fit.weight_scale;
    a.results[2].as<float>()[c] = fit.step;
    a.results[3].as<std::int32_t>()[c] = fit.bias;
    a.results[4].as<float>()[c] = fit.plain_step(w_scale, x_scale);
  }
}

void store(const Arguments& a, std::int64_t i, ir::FixedMultiplier multiplier) {
  a.results[0].as<std::int32_t>()[i] = multiplier.mantissa;
  a.results[1].as<std::int32_t>()[i] = multiplier.shift;
}

// N-REQ-FIXED
void run_fixed_multiplier(const ir::Node&, const Arguments& a) {
  for (std::int64_t i = 0; i < a.results[0].count(); ++i)
    store(a, i, ir::fixed_multiplier(static_cast<double>(a.operands[0].as<float>()[i])));
}

// N-AVG
void run_average_multiplier(const ir::Node& node, const Arguments& a) {
  *a.results[0].as<float>() =
      *a.operands[0].as<float>() / (*a.operands[1].as<float>() * static_cast<float>(node.attributes.integer("count")));
}

// N-REQ-FLOAT: a fused clamp
void run_clamp_range(const ir::Node& node, const Arguments& a) {
  const float scale = *a.operands[0].as<float>();
  const std::int32_t zero_point = *a.operands[1].as<std::int32_t>();
  const ir::Range range = range_of(node);
  const std::vector<double>& bounds = node.attributes.numbers("clamp");
  auto* out = a.results[0].as<std::int32_t>();
  out[0] = ir::quantize(static_cast<float>(bounds[0]), scale, zero_point, range);
  out[1] = bounds.size() > 1 ? ir::quantize(static_cast<float>(bounds[1]), scale, zero_point, range) : range.hi;
}

// TFLite's reference addition: both operands are brought to twice the larger scale with 20 more bits.
void run_add_fixed_multipliers(const ir::Node&, const Arguments& a) {
  const auto sa = static_cast<double>(*a.operands[0].as<float>());
  const auto sb = static_cast<double>(*a.operands[1].as<float>());
  const auto sy = static_cast<double>(*a.operands[2].as<float>());
  const double twice_larger = 2 * std::max(sa, sb);
  store(a, 0, ir::fixed_multiplier(sa / twice_larger));
  store(a, 1, ir::fixed_multiplier(sb / twice_larger));
  store(a, 2, ir::fixed_multiplier(twice_larger / (1048576.0 * sy)));
}

}  // namespace

void requantization_parameters(FunctionKernels& kernels) {
  kernels.add("fit_channels", {run_fit_channels});
  kernels.add("fixed_multiplier", {run_fixed_multiplier});
  kernels.add("average_multiplier", {run_average_multiplier});
  kernels.add("clamp_range", {run_clamp_range});
  kernels.add("add_fixed_multipliers", {run_add_fixed_multipliers});
}

}  // namespace stair::backends::reference
