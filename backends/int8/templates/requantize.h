#pragma once

// How int32 sums and floats become quantized integers, on vectors: the functions of ir/numerics.h with the same bits. Over vector.h of a
// variant, which stands before this in the including file.

#include "backends/int8/kernels.h"

namespace stair::backends::int8 {
namespace {

/// N-REQ-FIXED: ir::multiply_by_fixed. Mantissas are >= 0, so that the one product that saturates can't occur; with it,
/// (p + 2^30) >> 31 is the quotient that truncates p + nudge.
STAIR_INLINE I32 multiply_by_fixed(I32 x, I32 mantissa, I32 left, I32 right) {
  const I32 zero = splat(0);
  const I32 shifted = shift_left(x, left);
  const I32 saturated = splat(INT32_MAX) - greater(zero, x);  // INT32_MAX, or INT32_MIN where x < 0
  const I32 product = doubling_high(select_equal(shift_right(shifted, left), x, shifted, saturated), mantissa);
  const I32 mask = shift_left(splat(1), right) - splat(1);
  const I32 threshold = shift_right_logical(mask, splat(1)) - greater(zero, product);
  return shift_right(product, right) - greater(product & mask, threshold);
}

/// How near to a tie, as a distance from the nearest integer, a product with 1 / s is no longer known to round as the quotient by s: after
/// the clamp |t| <= 256, and the product is off by less than 3 * 2^-24 * 256 < 2^-14. Never where s is a power of two, since the product is
/// then exact; everywhere where 1 / s would lose bits as a subnormal or overflow.
STAIR_INLINE float doubtful_distance(float scale) {
  constexpr float never = 1, everywhere = -1;
  if (!(scale > 0x1p-100F && scale < 0x1p100F)) return everywhere;
  std::uint32_t bits;
  __builtin_memcpy(&bits, &scale, sizeof(bits));
  return (bits & 0x7fffffU) == 0 ? never : 0.5F - 0x1p-14F;
}

/// N-QUANT on vectors: z + round(clamp(x / s, lo - z, hi - z)). The product with 1 / s stands in for the quotient wherever no lane is in
/// doubt.
class Quantizer {
 public:
  Quantizer(float scale, std::int32_t zero_point, std::int32_t lo, std::int32_t hi)
      : scale_(splat(scale)),
        reciprocal_(splat(1.0F / scale)),
        doubtful_(splat(doubtful_distance(scale))),
        low_(splat(static_cast<float>(lo - zero_point))),
        high_(splat(static_cast<float>(hi - zero_point))),
        zero_point_(splat(zero_point)) {}

  STAIR_INLINE I32 operator()(F32 x) const {
    const F32 t = clamp(x * reciprocal_);
    I32 q = round(t);
    if (any_greater(absolute(t - to_float(q)), doubtful_)) q = round(clamp(x / scale_));
    return zero_point_ + q;
  }

 private:
  STAIR_INLINE F32 clamp(F32 t) const { return min(max(t, low_), high_); }

  F32 scale_, reciprocal_, doubtful_, low_, high_;
  I32 zero_point_;
};

}  // namespace
}  // namespace stair::backends::int8
