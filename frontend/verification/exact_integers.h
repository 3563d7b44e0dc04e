#pragma once

// The integer arithmetic of docs/numerics.md a second time, for `verify`: from the words of the clauses, on integers that are wide enough
// for every intermediate result, without a line of what it judges (ir/numerics.h, the kernels).

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace stair::verification::exact {

__extension__ using Wide = __int128;

/// The largest integer at or below x / 2^bits.
inline Wide floor_shift(Wide x, int bits) {
  const Wide divisor = Wide{1} << bits;
  const Wide quotient = x / divisor;
  return x % divisor < 0 ? quotient - 1 : quotient;
}

/// N-REQ-FIXED: x times mantissa * 2^(shift - 31): shifted left by a positive shift, saturating; the high half of twice the product, halves
/// up; shifted right by a negative shift, halves away from zero.
inline std::int64_t rescale(std::int64_t x, std::int64_t mantissa, int shift) {
  constexpr Wide most = 2147483647;
  Wide value = x;
  if (shift > 0) value = std::clamp<Wide>(value * (Wide{1} << shift), -most - 1, most);
  value = floor_shift(value * mantissa + (Wide{1} << 30), 31);
  if (shift < 0) {
    const Wide half = Wide{1} << (-shift - 1);
    value = value < 0 ? -floor_shift(-value + half, -shift) : floor_shift(value + half, -shift);
  }
  return static_cast<std::int64_t>(value);
}

/// The nearest integer, ties to even, of a number within [low, high].
inline std::int64_t nearest(double x, double low, double high) {
  const double limited = x > low ? std::min(x, high) : low;
  const double below = std::floor(limited);
  const double rest = limited - below;
  const bool up = rest > 0.5 || (rest == 0.5 && std::fmod(below, 2.0) != 0);
  return static_cast<std::int64_t>(up ? below + 1 : below);
}

}  // namespace stair::verification::exact
