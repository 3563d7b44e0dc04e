#pragma once

// Operations on two quantized tensors, over vector.h of a variant, which stands before this in the including file.

#include "backends/int8/templates/residual.h"

namespace stair::backends::int8 {
namespace {

/// N-POINT and N-REQ-FIXED: the product of two quantized integers.
template <Join join>
STAIR_INLINE I32 multiply(I32 own, I32 other, const Residual& r, const Quantizer& quantizer) {
  const I32 a = own - splat(r.own_zero);
  const I32 b = other - splat(r.other_zero);
  if constexpr (join == Join::point) {
    return quantizer((to_float(a) * splat(r.own_scale)) * (to_float(b) * splat(r.other_scale)));
  } else {
    const I32 t = multiply_by_fixed(a * b, r.fixed);
    return splat(r.zero_point) + min(max(t, splat(r.lo - r.zero_point)), splat(r.hi - r.zero_point));
  }
}

/// The elements of an operand from i on, n of them.
class Reader {
 public:
  Reader(const std::uint8_t* p, bool repeats, bool is_signed)
      : p_(p), repeats_(repeats), signed_(is_signed), only_(splat(is_signed ? std::int32_t{static_cast<std::int8_t>(*p)} : *p)) {}
  STAIR_INLINE I32 operator()(std::int64_t i) const { return repeats_ ? only_ : signed_ ? load_s8(p_ + i) : load_u8(p_ + i); }
  STAIR_INLINE I32 operator()(std::int64_t i, std::int64_t n) const {
    return repeats_ ? only_ : signed_ ? load_s8(p_ + i, n) : load_u8(p_ + i, n);
  }

 private:
  const std::uint8_t* p_;
  bool repeats_, signed_;
  I32 only_;
};

template <Join join, bool multiplies>
void combine(const Binary& operation, const BinaryRow& row) {
  const Residual& r = operation.operands;
  const Quantizer quantizer(r.scale, r.zero_point, r.lo, r.hi);
  const Reader a(row.a, row.a_repeats, operation.own_signed);
  const Reader b(row.b, row.b_repeats, r.other_signed);
  const auto apply = [&](I32 x, I32 y) STAIR_INLINE_BODY {
    if constexpr (multiplies) return multiply<join>(x, y, r, quantizer);
    return add<join>(x, y, r, quantizer);
  };
  std::int64_t i = 0;
  for (; i + lanes <= row.count; i += lanes) store_bytes(row.y + i, apply(a(i), b(i)));
  if (const std::int64_t n = row.count - i; n > 0) store_bytes(row.y + i, apply(a(i, n), b(i, n)), n);
}

void run_binary(const Binary& operation, const BinaryRow& row) {
  if (operation.operands.join == Join::point) {
    return operation.multiply ? combine<Join::point, true>(operation, row) : combine<Join::point, false>(operation, row);
  }
  return operation.multiply ? combine<Join::fixed, true>(operation, row) : combine<Join::fixed, false>(operation, row);
}

}  // namespace
}  // namespace stair::backends::int8
