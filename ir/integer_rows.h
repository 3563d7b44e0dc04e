#pragma once

// The arithmetic of what normalizes over axes, on integers: N-SOFTMAX and N-NORM of docs/numerics.md, where the bounds are proven. What
// is double precision here runs when a model is compiled; all else is integers.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "ir/numerics.h"

namespace stair::ir {

// ---- N-SOFTMAX ---------------------------------------------------------------------------------------------------------

/// T[0]: the table's entries have 24 fractional bits.
inline constexpr std::int32_t softmax_one = 1 << 24;

/// T[d] = round(2^24 exp(-d s_x)), d = max - q in [0, 255].
inline std::int32_t softmax_entry(std::int32_t d, float x_scale) {
  return static_cast<std::int32_t>(round_even(std::exp(-static_cast<double>(d) * static_cast<double>(x_scale)) * softmax_one));
}

/// F = floor(m 2^25 / S), of the mantissa m of 1 / s_y and the sum S of a row's entries. A table that isn't one may sum up to less than
/// T[0].
inline std::uint64_t softmax_factor(std::int32_t mantissa, std::int64_t sum) {
  return (static_cast<std::uint64_t>(mantissa) << 25) / static_cast<std::uint64_t>(std::max<std::int64_t>(sum, softmax_one));
}

/// z_y + floor((T F + 2^(e-1)) / 2^e), clamped; e = 56 - shift.
inline std::int32_t softmax_quantized(std::int32_t entry, std::uint64_t factor, std::int32_t shift, std::int32_t zero_point, Range range) {
  const std::int32_t e = 56 - shift;
  const std::uint64_t steps = e > 57 ? 0 : (static_cast<std::uint64_t>(entry) * factor + (std::uint64_t{1} << (e - 1))) >> e;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(zero_point + static_cast<std::int64_t>(steps), range.lo, range.hi));
}

// ---- N-NORM ------------------------------------------------------------------------------------------------------------

inline constexpr int norm_bits = 23;
/// The most elements that one mean is over.
inline constexpr std::int64_t norm_most = std::int64_t{1} << norm_bits;
/// Fractional bits of a normalized element.
inline constexpr int norm_fraction = 16;
/// The largest |g| and |b|, and k.
inline constexpr int norm_parameter_bits = 30;
inline constexpr std::int32_t norm_parameter_most = 1 << norm_parameter_bits;

/// a = 23 - ceil(log2(n)): n 2^a is the least such product above 2^22.
inline int norm_padding(std::int64_t n) {
  return norm_bits - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n - 1)));
}

/// eps in units of V 4^a, as mantissa * 2^shift.
inline FixedMultiplier norm_epsilon(double eps, std::int64_t n, float x_scale) {
  const double t = static_cast<double>(n << norm_padding(n)) / static_cast<double>(x_scale);
  return fixed_multiplier(eps * (t * t) * 0x1p-31);
}

/// k of parameters of which `largest` is the largest magnitude, in steps of the result.
inline std::int32_t norm_parameter_shift(double largest) {
  std::int32_t k = norm_parameter_bits;
  while (k > 0 && !(std::ldexp(largest, k) <= norm_parameter_most)) --k;
  return k;
}

/// g or b: round(p / s_y 2^k).
inline std::int32_t norm_parameter(float p, float y_scale, std::int32_t k) {
  const double steps = std::ldexp(static_cast<double>(p) / static_cast<double>(y_scale), k);
  constexpr double most = norm_parameter_most;
  return static_cast<std::int32_t>(round_even(clamp_nan_low(steps, -most, most)));
}

/// floor(sqrt(w)) of w < 2^62.
inline std::int64_t integer_sqrt(std::int64_t w) {
  auto root = static_cast<std::int64_t>(std::sqrt(static_cast<double>(w)));  // off by one at most
  if (root * root > w) --root;
  if ((root + 1) * (root + 1) <= w) ++root;
  return root;
}

/// What all elements of a row share.
struct NormRow {
  std::int64_t n;
  std::int64_t sum;         ///< A
  std::int64_t factor = 0;  ///< G; 0 where all elements are equal
  int shift = 1;            ///< t

  /// Of n integers of 8 bits with that sum and that sum of squares; `epsilon` has a mantissa of at least 0, and a shift of -31 to 30.
  NormRow(std::int64_t count, std::int64_t total, std::int64_t squares, FixedMultiplier epsilon) : n(count), sum(total) {
    const std::int64_t v = n * squares - sum * sum;
    if (v == 0) return;
    const std::int64_t mantissa = epsilon.mantissa;
    const std::int64_t e = std::max<std::int64_t>(1, epsilon.shift >= 0 ? mantissa << epsilon.shift : mantissa >> -epsilon.shift);
    const int a = norm_padding(n);
    const std::int64_t w = (v << 2 * a) + e;
    const int j = (62 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(w)))) / 2;
    factor = (std::int64_t{1} << 60) / integer_sqrt(w << 2 * j);
    shift = 44 - a - j;
  }

  /// h of an element.
  std::int64_t normalized(std::int32_t q) const { return ((n * q - sum) * factor + (std::int64_t{1} << (shift - 1))) >> shift; }
};

/// z_y + floor((h g + b 2^16 + 2^(k+15)) / 2^(k+16)), clamped.
inline std::int32_t norm_quantized(std::int64_t h, std::int32_t g, std::int32_t b, std::int32_t k, std::int32_t zero_point, Range range) {
  const std::int64_t sum = h * g + static_cast<std::int64_t>(b) * (1 << norm_fraction);
  const std::int32_t shift = k + norm_fraction;
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(zero_point + ((sum + (std::int64_t{1} << (shift - 1))) >> shift), range.lo, range.hi));
}

}  // namespace stair::ir
