#pragma once

// N-HISTOGRAM: a histogram with the same bins for all data, so that histograms of parts add up (passes/ranges): magnitudes from 2^-40 to
// 2^24 in octaves of equal steps, and one bin for what is nearer to 0. Bins are in the order of their values.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace stair::ir::histogram {

inline constexpr std::int64_t steps = 32;  ///< of an octave
inline constexpr int least_exponent = -40, most_exponent = 24;
inline constexpr std::int64_t side = steps * (most_exponent - least_exponent);  ///< bins of one sign
inline constexpr std::int64_t bins = 2 * side + 1;

/// Of a number that isn't NaN; those beyond 2^24 are in the last bin of their sign.
inline std::int64_t bin_of(double x) {
  const double magnitude = std::abs(x);
  if (magnitude < std::ldexp(1.0, least_exponent)) return side;
  int exponent = most_exponent;
  double fraction = 0.5;  // of [0.5, 1)
  if (std::isfinite(magnitude)) fraction = std::frexp(magnitude, &exponent);
  const auto within = static_cast<std::int64_t>((2 * fraction - 1) * static_cast<double>(steps));
  const std::int64_t at = std::min(side - 1, (exponent - 1 - least_exponent) * steps + within);
  return x < 0 ? side - 1 - at : side + 1 + at;
}

/// The edges of a bin: the least and the largest of its numbers; 0 of the bin at 0.
inline double low_edge(std::int64_t bin);
inline double high_edge(std::int64_t bin) {
  if (bin == side) return 0;
  if (bin < side) return -low_edge(2 * side - bin);
  const std::int64_t at = bin - side - 1;
  return std::ldexp(1 + static_cast<double>(at % steps + 1) / static_cast<double>(steps), least_exponent + static_cast<int>(at / steps));
}
inline double low_edge(std::int64_t bin) {
  if (bin == side) return 0;
  if (bin < side) return -high_edge(2 * side - bin);
  const std::int64_t at = bin - side - 1;
  return std::ldexp(1 + static_cast<double>(at % steps) / static_cast<double>(steps), least_exponent + static_cast<int>(at / steps));
}

}  // namespace stair::ir::histogram
