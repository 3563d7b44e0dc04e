#include <algorithm>
#include <cmath>

#include "backends/reference/channels.h"
#include "backends/reference/kernel.h"
#include "ir/numerics.h"

namespace stair::backends::reference {
namespace {

constexpr float bias_bound = 1073741824.0F;  // 2^30

// N-BIAS
void run_quantize_bias(const ir::Node&, const Arguments& a) {
  for (std::int64_t c = 0; c < a.results[0].count(); ++c) {
    const float t = a.operands[0].as<float>()[c] / of_channel<float>(a.operands[1], c);
    a.results[0].as<std::int32_t>()[c] = static_cast<std::int32_t>(ir::round_even(ir::clamp_nan_low(t, -bias_bound, bias_bound)));
  }
}

// N-BN-SCALE
void run_fold_batch_norm(const ir::Node&, const Arguments& a) {
  const float x_scale = *a.operands[0].as<float>();
  for (std::int64_t c = 0; c < a.results[0].count(); ++c) {
    const float step = x_scale * of_channel<float>(a.operands[1], c);
    const float factor = a.operands[2].as<float>()[c];
    const float bias = std::abs(a.operands[3].as<float>()[c]);
    float scale = step * std::abs(factor);
    int sign = factor < 0 ? -1 : 1;
    if (!(scale > 0) || !(bias / scale <= bias_bound)) {
      sign = 0;
      scale = bias / 1048576.0F;  // 2^20
      if (!(scale > 0)) scale = 1;
    }
    a.results[0].as<float>()[c] = scale;
    a.results[1].as<std::int8_t>()[c] = static_cast<std::int8_t>(sign);
    a.results[2].as<float>()[c] = static_cast<float>(sign) * step;
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
  kernels.add("quantize_bias", {run_quantize_bias});
  kernels.add("fold_batch_norm", {run_fold_batch_norm});
  kernels.add("fixed_multiplier", {run_fixed_multiplier});
  kernels.add("average_multiplier", {run_average_multiplier});
  kernels.add("clamp_range", {run_clamp_range});
  kernels.add("add_fixed_multipliers", {run_add_fixed_multipliers});
}

}  // namespace stair::backends::reference
