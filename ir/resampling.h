#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace stair::ir {

/// N-RESIZE along one dimension, from `in` to `out` elements: centres of pixels at (i + 1/2) in / out - 1/2. Element i of the result is
/// (x[low] * low_weight + x[high] * high_weight) / unit(), with integer weights.
struct Resampling {
  std::int64_t in, out;

  /// The sum of both weights: the least that makes all of them integers.
  std::int64_t unit() const { return 2 * out / divisor(); }

  struct Taps {
    std::int64_t low, high, low_weight, high_weight;
  };
  Taps taps(std::int64_t i) const {
    const std::int64_t last = in - 1;
    const std::int64_t place = std::clamp((2 * i + 1) * in - out, std::int64_t{0}, 2 * out * last);  // in units of 1 / (2 out)
    const std::int64_t low = place / (2 * out);
    const std::int64_t high_weight = place % (2 * out) / divisor();
    return {low, std::min(low + 1, last), unit() - high_weight, high_weight};
  }
  /// The element that stands for element i where none are mixed.
  std::int64_t nearest(std::int64_t i) const { return i * in / out; }

 private:
  std::int64_t divisor() const { return std::gcd(in, out); }
};

}  // namespace stair::ir
