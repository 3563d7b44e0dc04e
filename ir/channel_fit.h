#pragma once

// How the integer weights of a channel, their scale and the integer bias are fitted to each other (docs/numerics.md, N-BIAS, N-BN-SCALE).

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "ir/numerics.h"

namespace stair::ir {

/// N-BIAS: b / step to the nearest integer, ties to even, within ±2^30; step > 0. A quotient in double precision may lie on the other side
/// of a tie; the remainder, which double precision holds exactly, decides.
inline std::int32_t integer_bias(float b, float step) {
  constexpr double bound = 1073741824.0;  // 2^30
  const auto exact_b = static_cast<double>(b);
  const auto exact_step = static_cast<double>(step);
  double q = clamp_nan_low(round_even(exact_b / exact_step), -bound, bound);
  const double rest = std::fma(-q, exact_step, exact_b);
  const double half = exact_step / 2;
  const auto odd = [&] { return std::fmod(q, 2.0) != 0; };
  if (rest > half || (rest == half && odd())) {
    if (q < bound) ++q;
  } else if (rest < -half || (rest == -half && odd())) {
    if (q > -bound) --q;
  }
  return static_cast<std::int32_t>(q);
}

/// N-BIAS: the weight scale of a channel whose integer weights are all 0: the power of two at or above |b| / (2^20 * s_x), 1 where b is 0;
/// no smaller than makes the step a normal number, at most 2^127.
inline float constant_channel_scale(float b, float x_scale) {
  const double least = std::abs(static_cast<double>(b)) / (static_cast<double>(x_scale) * 1048576.0);  // 2^20
  if (!(least > 0)) return 1;
  int exponent = 127;
  if (least < 0x1p127) {
    if (std::frexp(least, &exponent) == 0.5) --exponent;
  }
  constexpr int normal = -126;  // 2^-126 is the least normal number
  return std::ldexp(1.0F, std::clamp(exponent, normal - std::clamp(std::ilogb(x_scale), normal, 0), 127));
}

/// x * 2^exponent. Nearly all channels have the exponent 0, and ldexp is a call.
template <class T>
T scaled(T x, int exponent) {
  return exponent == 0 ? x : std::ldexp(x, exponent);
}

/// How the integer weights of a channel, their scale and the integer bias are fitted to each other (N-BIAS, N-BN-SCALE).
struct ChannelFit {
  std::int32_t sign = 1;  ///< the weights become round(sign * q * 2^-exponent); 0: the channel is a constant
  std::int32_t exponent = 0;
  float weight_scale = 0;
  float step = 0;  ///< of the accumulator: s_x * weight_scale
  std::int32_t bias = 0;

  std::int8_t weight(std::int8_t q) const {
    if (exponent == 0) return static_cast<std::int8_t>(sign * q);
    return static_cast<std::int8_t>(round_even(std::ldexp(static_cast<float>(sign * q), -exponent)));
  }
  /// What one step of the accumulator is before batch-norm.
  float plain_step(float w_scale, float x_scale) const {
    return sign == 0 ? 0.0F : static_cast<float>(sign) * scaled(x_scale * w_scale, exponent);
  }
};

/// Of a channel with the integer weights q of the scale s_w, the batch-norm factor k (1: none), and the bias b (nullptr: none, or one that
/// stays a float).
inline ChannelFit fit_channel(std::span<const std::int8_t> q, float w_scale, float x_scale, float k, const float* b) {
  ChannelFit fit;
  fit.weight_scale = w_scale * std::abs(k);
  fit.step = x_scale * fit.weight_scale;
  fit.sign = k < 0 ? -1 : 1;
  if (!std::isnormal(fit.step) || fit.step < 0) fit.sign = 0;  // below 2^-126 is what is negative, too
  if (b == nullptr) {
    if (fit.sign == 0) {
      fit.weight_scale = 1;
      fit.step = x_scale;
    }
    return fit;
  }
  if (fit.sign != 0) {
    const double most = static_cast<double>(fit.step) * 1073741824.0;  // 2^30
    while (std::abs(static_cast<double>(*b)) > scaled(most, fit.exponent)) ++fit.exponent;
    const bool finite = std::isfinite(scaled(fit.weight_scale, fit.exponent));
    if (!finite || std::all_of(q.begin(), q.end(), [&](std::int8_t weight) { return fit.weight(weight) == 0; })) fit.sign = 0;
  }
  if (fit.sign == 0) fit.exponent = 0;
  fit.weight_scale = fit.sign == 0 ? constant_channel_scale(*b, x_scale) : scaled(fit.weight_scale, fit.exponent);
  fit.step = x_scale * fit.weight_scale;
  fit.bias = integer_bias(*b, fit.step);
  return fit;
}

}  // namespace stair::ir
