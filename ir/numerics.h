#pragma once

// The arithmetic of quantized values, one function a clause of docs/numerics.md. Every backend's scalar code and every table is made of
// these; vector code must give the same bits. round() is to nearest, ties to even, everywhere.

#include <cmath>
#include <cstdint>
#include <limits>

namespace stair::ir {

/// A quantized range [lo, hi] of integers (N-PARAM).
struct Range {
  std::int32_t lo;
  std::int32_t hi;
};

/// To nearest, ties to even, whatever the floating-point environment's rounding mode is by default (it is to nearest, and nobody changes
/// it).
inline float round_even(float x) {
  return std::nearbyint(x);
}
inline double round_even(double x) {
  return std::nearbyint(x);
}

/// clamp that sends NaN to `low` (N-QUANT: NaN quantizes to lo).
template <class T>
T clamp_nan_low(T x, T low, T high) {
  const T raised = x > low ? x : low;
  return raised < high ? raised : high;
}

/// Scale and zero point of the quantizer whose integers [lo, hi] stand for [low, high] (N-PARAM).
template <class Real>
struct AffineParameters {
  Real scale;
  std::int32_t zero_point;
};

/// Those of a range, which is widened to hold 0 (Jacob et al. 2017, section 3): the scale is positive and finite, whatever the range, and
/// the zero point nudged to an integer, so that 0 is represented exactly; symmetric: zero point 0; power_of_two: the scale rounded up to
/// 2^n (N-REQ-POW2).
template <class Real>
AffineParameters<Real> affine_parameters(Real low, Real high, Range range, bool symmetric, bool power_of_two) {
  low = low < 0 ? low : Real{0};
  high = high > 0 ? high : Real{0};
  const auto lo = static_cast<Real>(range.lo);
  const auto hi = static_cast<Real>(range.hi);
  Real scale = symmetric ? (-low > high ? -low : high) / hi : (high - low) / static_cast<Real>(range.hi - range.lo);
  if (!(scale >= std::numeric_limits<Real>::min())) {
    scale = 1;
  } else {
    if (!(scale <= std::numeric_limits<Real>::max())) scale = std::numeric_limits<Real>::max() / 2;
    if (power_of_two) {
      int exponent = 0;
      const Real fraction = std::frexp(scale, &exponent);  // scale = fraction * 2^exponent, fraction in [0.5, 1)
      scale = std::ldexp(Real{1}, fraction == Real{0.5} ? exponent - 1 : exponent);
    }
  }
  const Real zero = symmetric ? Real{0} : clamp_nan_low(round_even(lo - low / scale), lo, hi);
  return {scale, static_cast<std::int32_t>(zero)};
}

/// N-QUANT: z + round(clamp(x / s, lo - z, hi - z)). `Real` is float in graphs, double in checks.
template <class Real>
std::int32_t quantize(Real x, Real scale, std::int32_t zero_point, Range range) {
  const Real t = clamp_nan_low(x / scale, static_cast<Real>(range.lo - zero_point), static_cast<Real>(range.hi - zero_point));
  return zero_point + static_cast<std::int32_t>(round_even(t));
}

/// N-DEQUANT: float(q - z) * s.
template <class Real>
Real dequantize(std::int32_t q, Real scale, std::int32_t zero_point) {
  return static_cast<Real>(q - zero_point) * scale;
}

/// N-REQ-FLOAT for a rescaled accumulator t: z_y + round(clamp(t, lo' - z_y, hi' - z_y)).
inline std::int32_t requantize_rescaled(float t, std::int32_t zero_point, Range range) {
  const float clamped = clamp_nan_low(t, static_cast<float>(range.lo - zero_point), static_cast<float>(range.hi - zero_point));
  return zero_point + static_cast<std::int32_t>(round_even(clamped));
}

/// A sum of accumulators and biases. Where accumulators are proven (N-ACC) it doesn't overflow; elsewhere it wraps around, on all backends
/// alike.
inline std::int32_t wrapping_add(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

/// N-REQ-FIXED: a positive real multiplier as mantissa * 2^(shift - 31), mantissa in [2^30, 2^31) (Jacob et al. 2017, equation 6).
struct FixedMultiplier {
  std::int32_t mantissa;
  std::int32_t shift;  ///< > 0 shifts left before, < 0 right after the multiplication
};

/// The multiplier nearest to m > 0; m = 0 gives mantissa 0. Shifts beyond what int32 can show are clamped to zero or to the largest.
inline FixedMultiplier fixed_multiplier(double m) {
  if (!(m > 0)) return {0, 0};
  if (!std::isfinite(m)) return {std::numeric_limits<std::int32_t>::max(), 30};
  int exponent = 0;
  const double fraction = std::frexp(m, &exponent);  // m = fraction * 2^exponent, fraction in [0.5, 1)
  auto mantissa = static_cast<std::int64_t>(std::nearbyint(fraction * 2147483648.0));
  if (mantissa == (std::int64_t{1} << 31)) {
    mantissa /= 2;
    ++exponent;
  }
  if (exponent < -31) return {0, 0};
  if (exponent > 30) return {std::numeric_limits<std::int32_t>::max(), 30};
  return {static_cast<std::int32_t>(mantissa), exponent};
}

/// N-REQ-FIXED: saturating rounding doubling high multiply, halves up (Jacob et al. 2017, section 2.2; ARM's SQRDMULH).
inline std::int32_t saturating_rounding_doubling_high_mul(std::int32_t a, std::int32_t b) {
  if (a == b && a == std::numeric_limits<std::int32_t>::min()) return std::numeric_limits<std::int32_t>::max();
  const std::int64_t product = static_cast<std::int64_t>(a) * static_cast<std::int64_t>(b);
  const std::int64_t nudge = product >= 0 ? (std::int64_t{1} << 30) : (1 - (std::int64_t{1} << 30));
  return static_cast<std::int32_t>((product + nudge) / (std::int64_t{1} << 31));
}

/// N-REQ-FIXED: x / 2^exponent, ties away from zero, exponent in [0, 31].
inline std::int32_t rounding_divide_by_power_of_two(std::int32_t x, std::int32_t exponent) {
  const auto mask = static_cast<std::int32_t>((std::int64_t{1} << exponent) - 1);
  const std::int32_t remainder = x & mask;
  const std::int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/// N-REQ-FIXED: x * m, both roundings, the left shift saturating.
inline std::int32_t multiply_by_fixed(std::int32_t x, FixedMultiplier m) {
  const std::int32_t left = m.shift > 0 ? m.shift : 0;
  const std::int32_t right = m.shift > 0 ? 0 : -m.shift;
  const std::int64_t wide = static_cast<std::int64_t>(x) << left;
  const std::int64_t low = std::numeric_limits<std::int32_t>::min();
  const std::int64_t high = std::numeric_limits<std::int32_t>::max();
  const auto shifted = static_cast<std::int32_t>(wide < low ? low : (wide > high ? high : wide));
  return rounding_divide_by_power_of_two(saturating_rounding_doubling_high_mul(shifted, m.mantissa), right);
}

/// N-REQ-FIXED with a float bias, which is added behind the rescale: acc * m with 8 fractional bits kept, so that the one rounding that
/// counts comes after the bias.
inline float rescale_by_fixed(std::int32_t acc, FixedMultiplier m) {
  constexpr std::int32_t fraction_bits = 8;
  const std::int32_t shift = m.shift + fraction_bits < 31 ? m.shift + fraction_bits : 31;
  return static_cast<float>(multiply_by_fixed(acc, {m.mantissa, shift})) * 0x1p-8F;
}

}  // namespace stair::ir
