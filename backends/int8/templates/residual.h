#pragma once

// The sum of two quantized tensors, over vector.h of a variant, which stands before this in the including file.

#include "backends/int8/templates/requantize.h"

namespace stair::backends::int8 {
namespace {

STAIR_INLINE I32 multiply_by_fixed(I32 x, const FixedPoint& m) {
  return multiply_by_fixed(x, splat(m.mantissa), splat(m.left), splat(m.right));
}

/// N-POINT and N-REQ-FIXED: the sum of two quantized integers.
template <Join join>
STAIR_INLINE I32 add(I32 own, I32 other, const Residual& r, const Quantizer& quantizer) {
  if constexpr (join == Join::point) {
    const F32 a = to_float(own - splat(r.own_zero)) * splat(r.own_scale);
    const F32 b = to_float(other - splat(r.other_zero)) * splat(r.other_scale);
    return quantizer(a + b);
  } else {
    const I32 left = splat(1 << 20);
    const I32 a = multiply_by_fixed((own - splat(r.own_zero)) * left, r.own_fixed) * splat(r.own_sign);
    const I32 b = multiply_by_fixed((other - splat(r.other_zero)) * left, r.other_fixed) * splat(r.other_sign);
    const I32 t = multiply_by_fixed(a + b, r.fixed);
    return splat(r.zero_point) + min(max(t, splat(r.lo - r.zero_point)), splat(r.hi - r.zero_point));
  }
}

}  // namespace
}  // namespace stair::backends::int8
