#pragma once

// N-NORM, over vector.h of a variant, which stands before this in the including file.

#include "backends/int8/kernels.h"

namespace stair::backends::int8 {
namespace {

template <bool is_signed>
void add_squares(const std::uint8_t* q, std::int64_t count, std::int64_t* sum, std::int64_t* squares) {
  const auto spill = [](std::int64_t* into, I32 vector) {
    std::int32_t each[lanes];
    store(each, vector);
    for (const std::int32_t lane : each) *into += lane;
  };
  constexpr std::int64_t chunk = lanes * std::int64_t{1 << 14};  // squares of 2^16 each, in 31 bits
  for (std::int64_t first = 0; first < count; first += chunk) {
    const std::int64_t end = count - first < chunk ? count : first + chunk;
    I32 sums = splat(0);
    I32 products = splat(0);
    std::int64_t i = first;
    for (; i + lanes <= end; i += lanes) {
      const I32 some = is_signed ? load_s8(q + i) : load_u8(q + i);
      sums = sums + some;
      products = products + some * some;
    }
    if (i < end) {
      const I32 some = is_signed ? load_s8(q + i, end - i) : load_u8(q + i, end - i);
      sums = sums + some;
      products = products + some * some;
    }
    spill(sum, sums);
    spill(squares, products);
  }
}

void run_sum_squares(const std::uint8_t* q, bool is_signed, std::int64_t count, std::int64_t* sum, std::int64_t* squares) {
  *sum = *squares = 0;
  is_signed ? add_squares<true>(q, count, sum, squares) : add_squares<false>(q, count, sum, squares);
}

template <bool is_signed, bool repeats>
void normalize_integers(const NormalizedIntegers& row, const std::uint8_t* q, std::uint8_t* y, std::int64_t count) {
  const I32 n = splat(row.n);
  const I32 total = splat(row.sum);
  // |D G| <= 2^61: raised by as much, so that nothing is negative before the shift; what that adds behind it, modulo 2^32.
  constexpr std::int64_t raised = std::int64_t{1} << 61;
  const std::int64_t more = (std::int64_t{1} << (row.shift - 1)) + raised;
  const I32 too_much = splat(static_cast<std::int32_t>(static_cast<std::uint32_t>(raised >> row.shift)));
  const std::int64_t half = std::int64_t{1} << (row.k + 15);
  const I32 zero_point = splat(row.zero_point);
  const I32 lo = splat(row.lo);
  const I32 hi = splat(row.hi);
  const I32 gamma = splat(row.gamma[0]);
  const I32 beta = splat(row.beta[0]);
  const auto of = [&](I32 some, I32 g, I32 b) STAIR_INLINE_BODY {
    const I32 h = shifted_signed_product(some * n - total, row.factor, more, row.shift) - too_much;
    return max(min(limited_sum(h, g, b, half, row.k + 16) + zero_point, hi), lo);
  };
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const I32 some = is_signed ? load_s8(q + i) : load_u8(q + i);
    store_bytes(y + i, of(some, repeats ? gamma : load(row.gamma + i), repeats ? beta : load(row.beta + i)));
  }
  if (i == count) return;
  const std::int64_t left = count - i;
  const I32 some = is_signed ? load_s8(q + i, left) : load_u8(q + i, left);
  store_bytes(y + i, of(some, repeats ? gamma : load(row.gamma + i, left), repeats ? beta : load(row.beta + i, left)), left);
}

void run_norm(const NormalizedIntegers& row, const std::uint8_t* q, std::uint8_t* y, std::int64_t count) {
  if (row.repeats) {
    return row.is_signed ? normalize_integers<true, true>(row, q, y, count) : normalize_integers<false, true>(row, q, y, count);
  }
  row.is_signed ? normalize_integers<true, false>(row, q, y, count) : normalize_integers<false, false>(row, q, y, count);
}

}  // namespace
}  // namespace stair::backends::int8
