#pragma once

// AVX-512 with VNNI: 16 lanes of 32 bits. The same names stand in each variant's vector.h; templates/*.h are written over them.

#include <immintrin.h>

#include <cstdint>

#include "backends/multiversion.h"

namespace stair::backends::int8 {
namespace {

constexpr int lanes = 16;

struct I32 {
  __m512i v;
};
struct F32 {
  __m512 v;
};
/// lanes * 4 bytes.
struct Bytes {
  __m512i v;
};
/// Activations as dot4 wants them: 4 unsigned bytes a lane.
struct Activations {
  __m512i v;
};
/// Weights as dot4 wants them: 4 signed bytes a lane.
struct Weights {
  __m512i v;
};

STAIR_INLINE __mmask16 first(std::int64_t n) {
  return static_cast<__mmask16>((1U << n) - 1U);
}

// Memory. With a count, only so many lanes are read (the others are 0) or written.
STAIR_INLINE I32 load(const std::int32_t* p) {
  return {_mm512_loadu_si512(p)};
}
STAIR_INLINE F32 load(const float* p) {
  return {_mm512_loadu_ps(p)};
}
STAIR_INLINE I32 load(const std::int32_t* p, std::int64_t n) {
  return {_mm512_maskz_loadu_epi32(first(n), p)};
}
STAIR_INLINE F32 load(const float* p, std::int64_t n) {
  return {_mm512_maskz_loadu_ps(first(n), p)};
}
STAIR_INLINE void store(std::int32_t* p, I32 a) {
  _mm512_storeu_si512(p, a.v);
}
STAIR_INLINE void store(float* p, F32 a) {
  _mm512_storeu_ps(p, a.v);
}
STAIR_INLINE void store(std::int32_t* p, I32 a, std::int64_t n) {
  _mm512_mask_storeu_epi32(p, first(n), a.v);
}
STAIR_INLINE void store(float* p, F32 a, std::int64_t n) {
  _mm512_mask_storeu_ps(p, first(n), a.v);
}
/// Bytes widened to a lane each.
STAIR_INLINE I32 load_u8(const std::uint8_t* p) {
  return {_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
STAIR_INLINE I32 load_s8(const std::uint8_t* p) {
  return {_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
STAIR_INLINE I32 load_u8(const std::uint8_t* p, std::int64_t n) {
  return {_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(first(n), p))};
}
STAIR_INLINE I32 load_s8(const std::uint8_t* p, std::int64_t n) {
  return {_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(first(n), p))};
}
/// The low byte of each lane.
STAIR_INLINE void store_bytes(std::uint8_t* p, I32 a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(a.v));
}
STAIR_INLINE void store_bytes(std::uint8_t* p, I32 a, std::int64_t n) {
  _mm_mask_storeu_epi8(p, first(n), _mm512_cvtepi32_epi8(a.v));
}

/// Bit i: whether low[i] <= a[i] <= high[i].
STAIR_INLINE std::uint32_t between(F32 a, F32 low, F32 high) {
  return _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(a.v, low.v, _CMP_GE_OQ), a.v, high.v, _CMP_LE_OQ);
}

/// The three low bytes of each lane, one behind the other.
STAIR_INLINE void store_triples(std::uint8_t* p, I32 a, std::int64_t n) {
  const __m512i three = _mm512_shuffle_epi8(a.v, _mm512_set4_epi32(-1, 0x0e0d0c0a, 0x09080605, 0x04020100));
  const __m512i joined = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15), three);
  _mm512_mask_storeu_epi8(p, (std::uint64_t{1} << (3 * n)) - 1, joined);
}
STAIR_INLINE void store_triples(std::uint8_t* p, I32 a) {
  store_triples(p, a, lanes);
}

STAIR_INLINE I32 splat(std::int32_t x) {
  return {_mm512_set1_epi32(x)};
}
STAIR_INLINE F32 splat(float x) {
  return {_mm512_set1_ps(x)};
}

// Integers, modulo 2^32.
STAIR_INLINE I32 operator+(I32 a, I32 b) {
  return {_mm512_add_epi32(a.v, b.v)};
}
STAIR_INLINE I32 operator-(I32 a, I32 b) {
  return {_mm512_sub_epi32(a.v, b.v)};
}
STAIR_INLINE I32 operator*(I32 a, I32 b) {
  return {_mm512_mullo_epi32(a.v, b.v)};
}
STAIR_INLINE I32 operator&(I32 a, I32 b) {
  return {_mm512_and_si512(a.v, b.v)};
}
STAIR_INLINE I32 max(I32 a, I32 b) {
  return {_mm512_max_epi32(a.v, b.v)};
}
STAIR_INLINE I32 min(I32 a, I32 b) {
  return {_mm512_min_epi32(a.v, b.v)};
}
STAIR_INLINE I32 shift_left(I32 a, I32 n) {
  return {_mm512_sllv_epi32(a.v, n.v)};
}
STAIR_INLINE I32 shift_right(I32 a, I32 n) {
  return {_mm512_srav_epi32(a.v, n.v)};
}
STAIR_INLINE I32 shift_right_logical(I32 a, I32 n) {
  return {_mm512_srlv_epi32(a.v, n.v)};
}
/// -1 where a > b, else 0.
STAIR_INLINE I32 greater(I32 a, I32 b) {
  return {_mm512_movm_epi32(_mm512_cmpgt_epi32_mask(a.v, b.v))};
}
/// `yes` where a == b, else `no`.
STAIR_INLINE I32 select_equal(I32 a, I32 b, I32 yes, I32 no) {
  return {_mm512_mask_blend_epi32(_mm512_cmpeq_epi32_mask(a.v, b.v), no.v, yes.v)};
}
/// (a * b + 2^30) >> 31 of the 64-bit product: the doubling high multiply, rounded (N-REQ-FIXED).
STAIR_INLINE I32 doubling_high(I32 a, I32 b) {
  const __m512i half = _mm512_set1_epi64(std::int64_t{1} << 30);
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(a.v, b.v), half);
  const __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(a.v, 32), _mm512_srli_epi64(b.v, 32)), half);
  return {_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1))};
}
/// table[i] of each lane.
STAIR_INLINE I32 gather(const std::int32_t* table, I32 i) {
  return {_mm512_i32gather_epi32(i.v, table, 4)};
}
/// (a * factor + half) >> shift of each lane: of the unsigned product in 64 bits, the low 32 bits.
STAIR_INLINE I32 shifted_product(I32 a, std::uint32_t factor, std::uint64_t half, int shift) {
  const __m512i factors = _mm512_set1_epi64(factor);
  const __m512i halves = _mm512_set1_epi64(static_cast<std::int64_t>(half));
  const __m128i by = _mm_cvtsi32_si128(shift);
  const __m512i even = _mm512_srl_epi64(_mm512_add_epi64(_mm512_mul_epu32(a.v, factors), halves), by);
  const __m512i odd = _mm512_srl_epi64(_mm512_add_epi64(_mm512_mul_epu32(_mm512_srli_epi64(a.v, 32), factors), halves), by);
  return {_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32))};
}
/// (a * factor + more) >> shift of each lane: of the sum in 64 bits, which is at least 0, the low 32 bits.
STAIR_INLINE I32 shifted_signed_product(I32 a, std::int32_t factor, std::int64_t more, int shift) {
  const __m512i factors = _mm512_set1_epi64(factor);
  const __m512i added = _mm512_set1_epi64(more);
  const __m128i by = _mm_cvtsi32_si128(shift);
  const __m512i even = _mm512_srl_epi64(_mm512_add_epi64(_mm512_mul_epi32(a.v, factors), added), by);
  const __m512i odd = _mm512_srl_epi64(_mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(a.v, 32), factors), added), by);
  return {_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32))};
}
/// (a * b + c * 2^16 + half) >> shift of the even lanes, whose sum is less than 2^60, limited to 30 bits and a sign.
STAIR_INLINE __m512i limited_even(__m512i a, __m512i b, __m512i c, std::int64_t half, int shift) {
  const __m512i sum = _mm512_add_epi64(_mm512_mul_epi32(a, b), _mm512_mul_epi32(c, _mm512_set1_epi64(1 << 16)));
  const __m512i found = _mm512_sra_epi64(_mm512_add_epi64(sum, _mm512_set1_epi64(half)), _mm_cvtsi32_si128(shift));
  return _mm512_max_epi64(_mm512_min_epi64(found, _mm512_set1_epi64(1 << 30)), _mm512_set1_epi64(-(1 << 30)));
}
/// The same of each lane.
STAIR_INLINE I32 limited_sum(I32 a, I32 b, I32 c, std::int64_t half, int shift) {
  const __m512i even = limited_even(a.v, b.v, c.v, half, shift);
  const __m512i odd = limited_even(_mm512_srli_epi64(a.v, 32), _mm512_srli_epi64(b.v, 32), _mm512_srli_epi64(c.v, 32), half, shift);
  return {_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32))};
}

// Floats.
STAIR_INLINE F32 operator+(F32 a, F32 b) {
  return {_mm512_add_ps(a.v, b.v)};
}
STAIR_INLINE F32 operator-(F32 a, F32 b) {
  return {_mm512_sub_ps(a.v, b.v)};
}
STAIR_INLINE F32 operator*(F32 a, F32 b) {
  return {_mm512_mul_ps(a.v, b.v)};
}
STAIR_INLINE F32 operator/(F32 a, F32 b) {
  return {_mm512_div_ps(a.v, b.v)};
}
/// b where a is NaN.
STAIR_INLINE F32 max(F32 a, F32 b) {
  return {_mm512_max_ps(a.v, b.v)};
}
STAIR_INLINE F32 min(F32 a, F32 b) {
  return {_mm512_min_ps(a.v, b.v)};
}
STAIR_INLINE F32 absolute(F32 a) {
  return {_mm512_abs_ps(a.v)};
}
STAIR_INLINE bool any_greater(F32 a, F32 b) {
  return _mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ) != 0;
}
STAIR_INLINE F32 to_float(I32 a) {
  return {_mm512_cvtepi32_ps(a.v)};
}
/// To nearest, ties to even.
STAIR_INLINE I32 round(F32 a) {
  return {_mm512_cvtps_epi32(a.v)};
}

// Sums of products.
STAIR_INLINE Activations broadcast4(const std::uint8_t* p) {
  std::int32_t four;
  __builtin_memcpy(&four, p, 4);
  return {_mm512_set1_epi32(four)};
}
STAIR_INLINE Weights load_weights(const std::int8_t* p) {
  return {_mm512_loadu_si512(p)};
}
/// sum[i] + the sum over j < 4 of a[i][j] * w[i][j]
STAIR_INLINE I32 dot4(I32 sum, Activations a, Weights w) {
  return {_mm512_dpbusd_epi32(sum.v, a.v, w.v)};
}

STAIR_INLINE Bytes load_block(const std::uint8_t* p) {
  return {_mm512_loadu_si512(p)};
}
/// Only the first n bytes are read; the others are 0.
STAIR_INLINE Bytes load_block(const std::uint8_t* p, std::int64_t n) {
  return {_mm512_maskz_loadu_epi8(n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1, p)};
}
STAIR_INLINE void store(std::uint8_t* p, Bytes a) {
  _mm512_storeu_si512(p, a.v);
}
STAIR_INLINE void store(std::uint8_t* p, Bytes a, std::int64_t n) {
  _mm512_mask_storeu_epi8(p, n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1, a.v);
}
STAIR_INLINE Bytes max_u8(Bytes a, Bytes b) {
  return {_mm512_max_epu8(a.v, b.v)};
}
STAIR_INLINE Bytes max_s8(Bytes a, Bytes b) {
  return {_mm512_max_epi8(a.v, b.v)};
}
/// Field i of each byte, of `bits` bits, moved to the byte's high bits; below it are zeros.
template <int bits>
STAIR_INLINE Weights high_field(Bytes a, int i) {
  const int shift = 8 - bits * (i + 1);
  return {
      _mm512_and_si512(shift == 0 ? a.v : _mm512_slli_epi16(a.v, static_cast<unsigned>(shift)), _mm512_set1_epi8(bits == 4 ? -16 : -64))};
}
/// x ^ 0x80 of each byte: u8 to s8 and back, 128 less or more.
STAIR_INLINE Bytes flip(Bytes a) {
  return {_mm512_xor_si512(a.v, _mm512_set1_epi8(-128))};
}

/// Bytes i of a, b, c and d become neighbours: quarter q holds those of i = 16 * block + 4 * q + (0…3) for each 128-bit block.
struct Quarters {
  Activations quarter[4];
};
STAIR_INLINE Quarters interleave4(Bytes a, Bytes b, Bytes c, Bytes d) {
  const __m512i ab_low = _mm512_unpacklo_epi8(a.v, b.v), ab_high = _mm512_unpackhi_epi8(a.v, b.v);
  const __m512i cd_low = _mm512_unpacklo_epi8(c.v, d.v), cd_high = _mm512_unpackhi_epi8(c.v, d.v);
  return {{{_mm512_unpacklo_epi16(ab_low, cd_low)},
           {_mm512_unpackhi_epi16(ab_low, cd_low)},
           {_mm512_unpacklo_epi16(ab_high, cd_high)},
           {_mm512_unpackhi_epi16(ab_high, cd_high)}}};
}
/// Stores sums that stand in the order of interleave4 in the order of the bytes.
STAIR_INLINE void store_quarters(std::int32_t* p, I32 a, I32 b, I32 c, I32 d) {
  const __m512i ab_low = _mm512_shuffle_i32x4(a.v, b.v, 0x44), ab_high = _mm512_shuffle_i32x4(a.v, b.v, 0xee);
  const __m512i cd_low = _mm512_shuffle_i32x4(c.v, d.v, 0x44), cd_high = _mm512_shuffle_i32x4(c.v, d.v, 0xee);
  _mm512_storeu_si512(p, _mm512_shuffle_i32x4(ab_low, cd_low, 0x88));
  _mm512_storeu_si512(p + 16, _mm512_shuffle_i32x4(ab_low, cd_low, 0xdd));
  _mm512_storeu_si512(p + 32, _mm512_shuffle_i32x4(ab_high, cd_high, 0x88));
  _mm512_storeu_si512(p + 48, _mm512_shuffle_i32x4(ab_high, cd_high, 0xdd));
}

}  // namespace
}  // namespace stair::backends::int8
