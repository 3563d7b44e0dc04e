#pragma once

// AVX2: 8 lanes of 32 bits. The same names stand in each variant's vector.h; templates/*.h are written over them.

#include <immintrin.h>

#include <cstdint>

#include "backends/multiversion.h"

namespace stair::backends::int8 {
namespace {

constexpr int lanes = 8;

struct I32 {
  __m256i v;
};
struct F32 {
  __m256 v;
};
/// lanes * 4 bytes.
struct Bytes {
  __m256i v;
};
/// Activations as dot4 wants them: 4 unsigned bytes a lane, widened to 16 bits: bytes 0 and 2, and 1 and 3.
struct Activations {
  __m256i even, odd;
};
/// Weights as dot4 wants them: 4 signed bytes a lane, widened in the same way.
struct Weights {
  __m256i even, odd;
};

/// -1 in the first n lanes.
STAIR_INLINE __m256i first(std::int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<std::int32_t>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// Memory. With a count, only so many lanes are read (the others are 0) or written.
STAIR_INLINE I32 load(const std::int32_t* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
}
STAIR_INLINE F32 load(const float* p) {
  return {_mm256_loadu_ps(p)};
}
STAIR_INLINE I32 load(const std::int32_t* p, std::int64_t n) {
  return {_mm256_maskload_epi32(p, first(n))};
}
STAIR_INLINE F32 load(const float* p, std::int64_t n) {
  return {_mm256_maskload_ps(p, first(n))};
}
STAIR_INLINE void store(std::int32_t* p, I32 a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v);
}
STAIR_INLINE void store(float* p, F32 a) {
  _mm256_storeu_ps(p, a.v);
}
STAIR_INLINE void store(std::int32_t* p, I32 a, std::int64_t n) {
  _mm256_maskstore_epi32(p, first(n), a.v);
}
STAIR_INLINE void store(float* p, F32 a, std::int64_t n) {
  _mm256_maskstore_ps(p, first(n), a.v);
}
/// Bytes widened to a lane each.
STAIR_INLINE I32 load_u8(const std::uint8_t* p) {
  return {_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))};
}
STAIR_INLINE I32 load_s8(const std::uint8_t* p) {
  return {_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))};
}
STAIR_INLINE I32 load_u8(const std::uint8_t* p, std::int64_t n) {
  std::uint8_t some[8] = {};
  for (std::int64_t i = 0; i < n; ++i) some[i] = p[i];
  return load_u8(some);
}
STAIR_INLINE I32 load_s8(const std::uint8_t* p, std::int64_t n) {
  std::uint8_t some[8] = {};
  for (std::int64_t i = 0; i < n; ++i) some[i] = p[i];
  return load_s8(some);
}
/// The low byte of each lane.
STAIR_INLINE void store_bytes(std::uint8_t* p, I32 a) {
  const __m256i low = _mm256_shuffle_epi8(a.v, _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8, 12,
                                                                -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_unpacklo_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1)));
}
STAIR_INLINE void store_bytes(std::uint8_t* p, I32 a, std::int64_t n) {
  std::uint8_t all[8];
  store_bytes(all, a);
  for (std::int64_t i = 0; i < n; ++i) p[i] = all[i];
}

/// Bit i: whether low[i] <= a[i] <= high[i].
STAIR_INLINE std::uint32_t between(F32 a, F32 low, F32 high) {
  return static_cast<std::uint32_t>(
      _mm256_movemask_ps(_mm256_and_ps(_mm256_cmp_ps(a.v, low.v, _CMP_GE_OQ), _mm256_cmp_ps(a.v, high.v, _CMP_LE_OQ))));
}

/// The three low bytes of each lane, one behind the other.
STAIR_INLINE void store_triples(std::uint8_t* p, I32 a) {
  const __m256i three = _mm256_shuffle_epi8(a.v, _mm256_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1, 0, 1, 2, 4, 5, 6,
                                                                  8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
  const __m256i joined = _mm256_permutevar8x32_epi32(three, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(joined));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p + 16), _mm256_extracti128_si256(joined, 1));
}
STAIR_INLINE void store_triples(std::uint8_t* p, I32 a, std::int64_t n) {
  std::uint8_t all[24];
  store_triples(all, a);
  for (std::int64_t i = 0; i < 3 * n; ++i) p[i] = all[i];
}

STAIR_INLINE I32 splat(std::int32_t x) {
  return {_mm256_set1_epi32(x)};
}
STAIR_INLINE F32 splat(float x) {
  return {_mm256_set1_ps(x)};
}

// Integers, modulo 2^32.
STAIR_INLINE I32 operator+(I32 a, I32 b) {
  return {_mm256_add_epi32(a.v, b.v)};
}
STAIR_INLINE I32 operator-(I32 a, I32 b) {
  return {_mm256_sub_epi32(a.v, b.v)};
}
STAIR_INLINE I32 operator*(I32 a, I32 b) {
  return {_mm256_mullo_epi32(a.v, b.v)};
}
STAIR_INLINE I32 operator&(I32 a, I32 b) {
  return {_mm256_and_si256(a.v, b.v)};
}
STAIR_INLINE I32 max(I32 a, I32 b) {
  return {_mm256_max_epi32(a.v, b.v)};
}
STAIR_INLINE I32 min(I32 a, I32 b) {
  return {_mm256_min_epi32(a.v, b.v)};
}
STAIR_INLINE I32 shift_left(I32 a, I32 n) {
  return {_mm256_sllv_epi32(a.v, n.v)};
}
STAIR_INLINE I32 shift_right(I32 a, I32 n) {
  return {_mm256_srav_epi32(a.v, n.v)};
}
STAIR_INLINE I32 shift_right_logical(I32 a, I32 n) {
  return {_mm256_srlv_epi32(a.v, n.v)};
}
/// -1 where a > b, else 0.
STAIR_INLINE I32 greater(I32 a, I32 b) {
  return {_mm256_cmpgt_epi32(a.v, b.v)};
}
/// `yes` where a == b, else `no`.
STAIR_INLINE I32 select_equal(I32 a, I32 b, I32 yes, I32 no) {
  return {_mm256_blendv_epi8(no.v, yes.v, _mm256_cmpeq_epi32(a.v, b.v))};
}
/// (a * b + 2^30) >> 31 of the 64-bit product: the doubling high multiply, rounded (N-REQ-FIXED).
STAIR_INLINE I32 doubling_high(I32 a, I32 b) {
  const __m256i half = _mm256_set1_epi64x(std::int64_t{1} << 30);
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(a.v, b.v), half);
  const __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(a.v, 32), _mm256_srli_epi64(b.v, 32)), half);
  return {_mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa)};
}
/// table[i] of each lane.
STAIR_INLINE I32 gather(const std::int32_t* table, I32 i) {
  return {_mm256_i32gather_epi32(table, i.v, 4)};
}
/// (a * factor + half) >> shift of each lane: of the unsigned product in 64 bits, the low 32 bits.
STAIR_INLINE I32 shifted_product(I32 a, std::uint32_t factor, std::uint64_t half, int shift) {
  const __m256i factors = _mm256_set1_epi64x(factor);
  const __m256i halves = _mm256_set1_epi64x(static_cast<std::int64_t>(half));
  const __m128i by = _mm_cvtsi32_si128(shift);
  const __m256i even = _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epu32(a.v, factors), halves), by);
  const __m256i odd = _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(a.v, 32), factors), halves), by);
  return {_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa)};
}
/// (a * factor + more) >> shift of each lane: of the sum in 64 bits, which is at least 0, the low 32 bits.
STAIR_INLINE I32 shifted_signed_product(I32 a, std::int32_t factor, std::int64_t more, int shift) {
  const __m256i factors = _mm256_set1_epi64x(factor);
  const __m256i added = _mm256_set1_epi64x(more);
  const __m128i by = _mm_cvtsi32_si128(shift);
  const __m256i even = _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epi32(a.v, factors), added), by);
  const __m256i odd = _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(a.v, 32), factors), added), by);
  return {_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa)};
}
/// (a * b + c * 2^16 + half) >> shift of the even lanes, whose sum is less than 2^60, limited to 30 bits and a sign.
STAIR_INLINE __m256i limited_even(__m256i a, __m256i b, __m256i c, std::int64_t half, int shift) {
  constexpr std::int64_t raised = std::int64_t{1} << 60;  // so that a logical shift does
  const __m256i sum = _mm256_add_epi64(_mm256_mul_epi32(a, b), _mm256_mul_epi32(c, _mm256_set1_epi64x(1 << 16)));
  const __m256i shifted = _mm256_srl_epi64(_mm256_add_epi64(sum, _mm256_set1_epi64x(half + raised)), _mm_cvtsi32_si128(shift));
  const __m256i found = _mm256_sub_epi64(shifted, _mm256_set1_epi64x(raised >> shift));
  const __m256i most = _mm256_set1_epi64x(1 << 30);
  const __m256i least = _mm256_set1_epi64x(-(1 << 30));
  const __m256i low = _mm256_blendv_epi8(found, most, _mm256_cmpgt_epi64(found, most));
  return _mm256_blendv_epi8(low, least, _mm256_cmpgt_epi64(least, low));
}
/// The same of each lane.
STAIR_INLINE I32 limited_sum(I32 a, I32 b, I32 c, std::int64_t half, int shift) {
  const __m256i even = limited_even(a.v, b.v, c.v, half, shift);
  const __m256i odd = limited_even(_mm256_srli_epi64(a.v, 32), _mm256_srli_epi64(b.v, 32), _mm256_srli_epi64(c.v, 32), half, shift);
  return {_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa)};
}

// Floats.
STAIR_INLINE F32 operator+(F32 a, F32 b) {
  return {_mm256_add_ps(a.v, b.v)};
}
STAIR_INLINE F32 operator-(F32 a, F32 b) {
  return {_mm256_sub_ps(a.v, b.v)};
}
STAIR_INLINE F32 operator*(F32 a, F32 b) {
  return {_mm256_mul_ps(a.v, b.v)};
}
STAIR_INLINE F32 operator/(F32 a, F32 b) {
  return {_mm256_div_ps(a.v, b.v)};
}
/// b where a is NaN.
STAIR_INLINE F32 max(F32 a, F32 b) {
  return {_mm256_max_ps(a.v, b.v)};
}
STAIR_INLINE F32 min(F32 a, F32 b) {
  return {_mm256_min_ps(a.v, b.v)};
}
STAIR_INLINE F32 absolute(F32 a) {
  return {_mm256_andnot_ps(_mm256_set1_ps(-0.0F), a.v)};
}
STAIR_INLINE bool any_greater(F32 a, F32 b) {
  return _mm256_movemask_ps(_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)) != 0;
}
STAIR_INLINE F32 to_float(I32 a) {
  return {_mm256_cvtepi32_ps(a.v)};
}
/// To nearest, ties to even.
STAIR_INLINE I32 round(F32 a) {
  return {_mm256_cvtps_epi32(a.v)};
}

// Sums of products.
STAIR_INLINE Activations widen(Bytes a) {
  return {_mm256_and_si256(a.v, _mm256_set1_epi16(0xff)), _mm256_srli_epi16(a.v, 8)};
}
STAIR_INLINE Activations broadcast4(const std::uint8_t* p) {
  std::int32_t four;
  __builtin_memcpy(&four, p, 4);
  return widen({_mm256_set1_epi32(four)});
}
STAIR_INLINE Weights widen_signed(__m256i w) {
  return {_mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8), _mm256_srai_epi16(w, 8)};
}
STAIR_INLINE Weights load_weights(const std::int8_t* p) {
  return widen_signed(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
/// Field i of each byte, of `bits` bits, moved to the byte's high bits; below it are zeros.
template <int bits>
STAIR_INLINE Weights high_field(Bytes a, int i) {
  const int shift = 8 - bits * (i + 1);
  return widen_signed(_mm256_and_si256(_mm256_slli_epi16(a.v, shift), _mm256_set1_epi8(bits == 4 ? -16 : -64)));
}
/// sum[i] + the sum over j < 4 of a[i][j] * w[i][j]
STAIR_INLINE I32 dot4(I32 sum, Activations a, Weights w) {
  // N-SIMD: products of 16-bit integers, for those of bytes (pmaddubsw) would saturate.
  return {_mm256_add_epi32(sum.v, _mm256_add_epi32(_mm256_madd_epi16(a.even, w.even), _mm256_madd_epi16(a.odd, w.odd)))};
}

STAIR_INLINE Bytes load_block(const std::uint8_t* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
}
/// Only the first n bytes are read; the others are 0.
STAIR_INLINE Bytes load_block(const std::uint8_t* p, std::int64_t n) {
  if (n >= 32) return load_block(p);
  std::uint8_t some[32] = {};
  for (std::int64_t i = 0; i < n; ++i) some[i] = p[i];
  return load_block(some);
}
STAIR_INLINE void store(std::uint8_t* p, Bytes a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v);
}
STAIR_INLINE void store(std::uint8_t* p, Bytes a, std::int64_t n) {
  if (n >= 32) return store(p, a);
  std::uint8_t all[32];
  store(all, a);
  for (std::int64_t i = 0; i < n; ++i) p[i] = all[i];
}
STAIR_INLINE Bytes max_u8(Bytes a, Bytes b) {
  return {_mm256_max_epu8(a.v, b.v)};
}
STAIR_INLINE Bytes max_s8(Bytes a, Bytes b) {
  return {_mm256_max_epi8(a.v, b.v)};
}
/// x ^ 0x80 of each byte: u8 to s8 and back, 128 less or more.
STAIR_INLINE Bytes flip(Bytes a) {
  return {_mm256_xor_si256(a.v, _mm256_set1_epi8(-128))};
}

/// Bytes i of a, b, c and d become neighbours: quarter q holds those of i = 16 * block + 4 * q + (0…3) for each 128-bit block.
struct Quarters {
  Activations quarter[4];
};
STAIR_INLINE Quarters interleave4(Bytes a, Bytes b, Bytes c, Bytes d) {
  const __m256i ab_low = _mm256_unpacklo_epi8(a.v, b.v), ab_high = _mm256_unpackhi_epi8(a.v, b.v);
  const __m256i cd_low = _mm256_unpacklo_epi8(c.v, d.v), cd_high = _mm256_unpackhi_epi8(c.v, d.v);
  return {{widen({_mm256_unpacklo_epi16(ab_low, cd_low)}), widen({_mm256_unpackhi_epi16(ab_low, cd_low)}),
           widen({_mm256_unpacklo_epi16(ab_high, cd_high)}), widen({_mm256_unpackhi_epi16(ab_high, cd_high)})}};
}
/// Stores sums that stand in the order of interleave4 in the order of the bytes.
STAIR_INLINE void store_quarters(std::int32_t* p, I32 a, I32 b, I32 c, I32 d) {
  store(p, {_mm256_permute2x128_si256(a.v, b.v, 0x20)});
  store(p + 8, {_mm256_permute2x128_si256(c.v, d.v, 0x20)});
  store(p + 16, {_mm256_permute2x128_si256(a.v, b.v, 0x31)});
  store(p + 24, {_mm256_permute2x128_si256(c.v, d.v, 0x31)});
}

}  // namespace
}  // namespace stair::backends::int8
