#pragma once

#include <cstdint>

namespace stair::backends::openblas::direct {

/// What follows the sums of a channel on their way to memory, in this order, each rounded on its own.
struct Finish {
  const float* bias = nullptr;  ///< y + bias[c]
  const float* mean = nullptr;  ///< batch-norm by running statistics: (y - mean[c]) * factor[c] + beta[c]
  const float* factor = nullptr;
  const float* beta = nullptr;
  const float* other = nullptr;  ///< y + other, elements of y's place
  bool clamps = false;           ///< y where it is above low, else low; high where it is above that
  float low = 0, high = 0;

  /// Whether anything follows.
  bool any() const { return bias != nullptr || factor != nullptr || other != nullptr || clamps; }
};

}  // namespace stair::backends::openblas::direct
