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

/// N-QUANT on vectors: z + round(clamp(x / s, lo - z, hi - z)). The product with 1 / s stands in for the quotient wherever no lane is so
/// near a tie that the two could round apart: after the clamp |t| <= 256, and the product is off by less than 3 * 2^-24 * 256 < 2^-14.
class Quantizer {
 public:
  Quantizer(float scale, std::int32_t zero_point, std::int32_t lo, std::int32_t hi)
      : scale_(splat(scale)),
        // Where 1 / s would lose bits as a subnormal or overflow, every lane is near a tie.
        reciprocal_(splat(scale > 0x1p-100F && scale < 0x1p100F ? 1.0F / scale : 0.0F)),
        tie_(splat(scale > 0x1p-100F && scale < 0x1p100F ? 0.5F - 0x1p-14F : -1.0F)),
        low_(splat(static_cast<float>(lo - zero_point))),
        high_(splat(static_cast<float>(hi - zero_point))),
        zero_point_(splat(zero_point)) {}

  STAIR_INLINE I32 operator()(F32 x) const {
    const F32 t = clamp(x * reciprocal_);
    I32 q = round(t);
    if (any_greater(absolute(t - to_float(q)), tie_)) q = round(clamp(x / scale_));
    return zero_point_ + q;
  }

 private:
  STAIR_INLINE F32 clamp(F32 t) const { return min(max(t, low_), high_); }

  F32 scale_, reciprocal_, tie_, low_, high_;
  I32 zero_point_;
};

}  // namespace
}  // namespace stair::backends::int8
