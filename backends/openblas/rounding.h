#pragma once

#include <cstdint>

#include "backends/multiversion.h"
#include "ir/numerics.h"

namespace stair::backends::openblas {

/// round_even of |t| < 2^22, as a vector loop can do it on every instruction set: the sum has no bits left behind the point, and rounding
/// to it is to nearest, ties to even.
STAIR_INLINE std::int32_t round_small(float t) {
  constexpr float shift = 12582912.0F;  // 1.5 * 2^23
  return static_cast<std::int32_t>((t + shift) - shift);
}

/// ir::clamp_nan_low and rounding, between bounds that belong to 8-bit integers.
struct Rounder {
  float low, high;

  Rounder(ir::Range range, std::int32_t zero_point)
      : low(static_cast<float>(range.lo - zero_point)), high(static_cast<float>(range.hi - zero_point)) {}
  STAIR_INLINE std::int32_t operator()(float t) const {
    const float raised = t > low ? t : low;
    return round_small(raised < high ? raised : high);
  }
};

}  // namespace stair::backends::openblas
