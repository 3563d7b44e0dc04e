#pragma once

// NEON: 4 lanes of 32 bits, without the sums of products, for which there are two ways. The same names stand in each variant's vector.h;
// templates/*.h are written over them.

#include <arm_neon.h>

#include <cstdint>

#include "backends/multiversion.h"

namespace stair::backends::int8 {
namespace {

constexpr int lanes = 4;

struct I32 {
  int32x4_t v;
};
struct F32 {
  float32x4_t v;
};
/// lanes * 4 bytes.
struct Bytes {
  uint8x16_t v;
};

// Memory. With a count, only so many lanes are read (the others are 0) or written.
STAIR_INLINE I32 load(const std::int32_t* p) {
  return {vld1q_s32(p)};
}
STAIR_INLINE F32 load(const float* p) {
  return {vld1q_f32(p)};
}
STAIR_INLINE I32 load(const std::int32_t* p, std::int64_t n) {
  std::int32_t some[lanes] = {};
  for (std::int64_t i = 0; i < n; ++i) some[i] = p[i];
  return load(some);
}
STAIR_INLINE F32 load(const float* p, std::int64_t n) {
  float some[lanes] = {};
  for (std::int64_t i = 0; i < n; ++i) some[i] = p[i];
  return load(some);
}
STAIR_INLINE void store(std::int32_t* p, I32 a) {
  vst1q_s32(p, a.v);
}
STAIR_INLINE void store(float* p, F32 a) {
  vst1q_f32(p, a.v);
}
STAIR_INLINE void store(std::int32_t* p, I32 a, std::int64_t n) {
  std::int32_t all[lanes];
  store(all, a);
  for (std::int64_t i = 0; i < n; ++i) p[i] = all[i];
}
STAIR_INLINE void store(float* p, F32 a, std::int64_t n) {
  float all[lanes];
  store(all, a);
  for (std::int64_t i = 0; i < n; ++i) p[i] = all[i];
}
STAIR_INLINE uint8x8_t load_lanes(const std::uint8_t* p) {
  std::uint32_t four;
  __builtin_memcpy(&four, p, lanes);
  return vcreate_u8(four);
}
STAIR_INLINE uint8x8_t load_lanes(const std::uint8_t* p, std::int64_t n) {
  std::uint8_t some[lanes] = {};
  for (std::int64_t i = 0; i < n; ++i) some[i] = p[i];
  return load_lanes(some);
}
STAIR_INLINE I32 widen_u8(uint8x8_t a) {
  return {vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(a))))};
}
STAIR_INLINE I32 widen_s8(uint8x8_t a) {
  return {vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(a))))};
}
/// Bytes widened to a lane each.
STAIR_INLINE I32 load_u8(const std::uint8_t* p) {
  return widen_u8(load_lanes(p));
}
STAIR_INLINE I32 load_s8(const std::uint8_t* p) {
  return widen_s8(load_lanes(p));
}
STAIR_INLINE I32 load_u8(const std::uint8_t* p, std::int64_t n) {
  return widen_u8(load_lanes(p, n));
}
STAIR_INLINE I32 load_s8(const std::uint8_t* p, std::int64_t n) {
  return widen_s8(load_lanes(p, n));
}
/// The low byte of each lane.
STAIR_INLINE void store_bytes(std::uint8_t* p, I32 a) {
  const int16x4_t halves = vmovn_s32(a.v);
  const int8x8_t bytes = vmovn_s16(vcombine_s16(halves, halves));
  __builtin_memcpy(p, &bytes, lanes);
}
STAIR_INLINE void store_bytes(std::uint8_t* p, I32 a, std::int64_t n) {
  std::uint8_t all[lanes];
  store_bytes(all, a);
  for (std::int64_t i = 0; i < n; ++i) p[i] = all[i];
}

/// Bit i: whether low[i] <= a[i] <= high[i].
STAIR_INLINE std::uint32_t between(F32 a, F32 low, F32 high) {
  const std::uint32_t places[] = {1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(vandq_u32(vcgeq_f32(a.v, low.v), vcleq_f32(a.v, high.v)), vld1q_u32(places)));
}

/// The three low bytes of each lane, one behind the other.
STAIR_INLINE void store_triples(std::uint8_t* p, I32 a) {
  const uint8x16_t order = {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0};
  const uint8x16_t joined = vqtbl1q_u8(vreinterpretq_u8_s32(a.v), order);
  __builtin_memcpy(p, &joined, 3 * lanes);
}
STAIR_INLINE void store_triples(std::uint8_t* p, I32 a, std::int64_t n) {
  std::uint8_t all[3 * lanes];
  store_triples(all, a);
  for (std::int64_t i = 0; i < 3 * n; ++i) p[i] = all[i];
}

STAIR_INLINE I32 splat(std::int32_t x) {
  return {vdupq_n_s32(x)};
}
STAIR_INLINE F32 splat(float x) {
  return {vdupq_n_f32(x)};
}

// Integers, modulo 2^32: to a compiler, vaddq_s32 may be a sum that mustn't overflow.
STAIR_INLINE uint32x4_t modulo(I32 a) {
  return vreinterpretq_u32_s32(a.v);
}
STAIR_INLINE I32 operator+(I32 a, I32 b) {
  return {vreinterpretq_s32_u32(vaddq_u32(modulo(a), modulo(b)))};
}
STAIR_INLINE I32 operator-(I32 a, I32 b) {
  return {vreinterpretq_s32_u32(vsubq_u32(modulo(a), modulo(b)))};
}
STAIR_INLINE I32 operator*(I32 a, I32 b) {
  return {vreinterpretq_s32_u32(vmulq_u32(modulo(a), modulo(b)))};
}
STAIR_INLINE I32 operator&(I32 a, I32 b) {
  return {vandq_s32(a.v, b.v)};
}
STAIR_INLINE I32 max(I32 a, I32 b) {
  return {vmaxq_s32(a.v, b.v)};
}
STAIR_INLINE I32 min(I32 a, I32 b) {
  return {vminq_s32(a.v, b.v)};
}
STAIR_INLINE I32 shift_left(I32 a, I32 n) {
  return {vshlq_s32(a.v, n.v)};
}
STAIR_INLINE I32 shift_right(I32 a, I32 n) {
  return {vshlq_s32(a.v, vnegq_s32(n.v))};
}
STAIR_INLINE I32 shift_right_logical(I32 a, I32 n) {
  return {vreinterpretq_s32_u32(vshlq_u32(modulo(a), vnegq_s32(n.v)))};
}
/// -1 where a > b, else 0.
STAIR_INLINE I32 greater(I32 a, I32 b) {
  return {vreinterpretq_s32_u32(vcgtq_s32(a.v, b.v))};
}
/// `yes` where a == b, else `no`.
STAIR_INLINE I32 select_equal(I32 a, I32 b, I32 yes, I32 no) {
  return {vbslq_s32(vceqq_s32(a.v, b.v), yes.v, no.v)};
}
/// (a * b + 2^30) >> 31 of the 64-bit product: the doubling high multiply, rounded (N-REQ-FIXED).
STAIR_INLINE I32 doubling_high(I32 a, I32 b) {
  return {vqrdmulhq_s32(a.v, b.v)};
}
/// table[i] of each lane.
STAIR_INLINE I32 gather(const std::int32_t* table, I32 i) {
  const std::int32_t all[] = {table[vgetq_lane_s32(i.v, 0)], table[vgetq_lane_s32(i.v, 1)], table[vgetq_lane_s32(i.v, 2)],
                              table[vgetq_lane_s32(i.v, 3)]};
  return {vld1q_s32(all)};
}
/// (a * factor + half) >> shift of each lane: of the unsigned product in 64 bits, the low 32 bits.
STAIR_INLINE I32 shifted_product(I32 a, std::uint32_t factor, std::uint64_t half, int shift) {
  const uint32x4_t x = vreinterpretq_u32_s32(a.v);
  const uint64x2_t halves = vdupq_n_u64(half);
  const int64x2_t by = vdupq_n_s64(-shift);
  const uint64x2_t low = vshlq_u64(vaddq_u64(vmull_n_u32(vget_low_u32(x), factor), halves), by);
  const uint64x2_t high = vshlq_u64(vaddq_u64(vmull_n_u32(vget_high_u32(x), factor), halves), by);
  return {vreinterpretq_s32_u32(vcombine_u32(vmovn_u64(low), vmovn_u64(high)))};
}
/// (a * factor + more) >> shift of each lane: of the sum in 64 bits, which is at least 0, the low 32 bits.
STAIR_INLINE I32 shifted_signed_product(I32 a, std::int32_t factor, std::int64_t more, int shift) {
  const int64x2_t added = vdupq_n_s64(more);
  const int64x2_t by = vdupq_n_s64(-shift);
  const int64x2_t low = vshlq_s64(vaddq_s64(vmull_n_s32(vget_low_s32(a.v), factor), added), by);
  const int64x2_t high = vshlq_s64(vaddq_s64(vmull_n_s32(vget_high_s32(a.v), factor), added), by);
  return {vcombine_s32(vmovn_s64(low), vmovn_s64(high))};
}
/// (a * b + c * 2^16 + half) >> shift of two lanes, whose sum is less than 2^60.
STAIR_INLINE int32x2_t limited_half(int32x2_t a, int32x2_t b, int32x2_t c, std::int64_t half, int shift) {
  const int64x2_t sum = vaddq_s64(vmull_s32(a, b), vshll_n_s32(c, 16));
  return vqmovn_s64(vshlq_s64(vaddq_s64(sum, vdupq_n_s64(half)), vdupq_n_s64(-shift)));
}
/// The same of each lane, limited to 30 bits and a sign.
STAIR_INLINE I32 limited_sum(I32 a, I32 b, I32 c, std::int64_t half, int shift) {
  const int32x4_t found = vcombine_s32(limited_half(vget_low_s32(a.v), vget_low_s32(b.v), vget_low_s32(c.v), half, shift),
                                       limited_half(vget_high_s32(a.v), vget_high_s32(b.v), vget_high_s32(c.v), half, shift));
  return {vmaxq_s32(vminq_s32(found, vdupq_n_s32(1 << 30)), vdupq_n_s32(-(1 << 30)))};
}

// Floats.
STAIR_INLINE F32 operator+(F32 a, F32 b) {
  return {vaddq_f32(a.v, b.v)};
}
STAIR_INLINE F32 operator-(F32 a, F32 b) {
  return {vsubq_f32(a.v, b.v)};
}
STAIR_INLINE F32 operator*(F32 a, F32 b) {
  return {vmulq_f32(a.v, b.v)};
}
STAIR_INLINE F32 operator/(F32 a, F32 b) {
  return {vdivq_f32(a.v, b.v)};
}
/// b where a is NaN, which vmaxq_f32 would keep.
STAIR_INLINE F32 max(F32 a, F32 b) {
  return {vbslq_f32(vcgtq_f32(a.v, b.v), a.v, b.v)};
}
STAIR_INLINE F32 min(F32 a, F32 b) {
  return {vbslq_f32(vcltq_f32(a.v, b.v), a.v, b.v)};
}
STAIR_INLINE F32 absolute(F32 a) {
  return {vabsq_f32(a.v)};
}
STAIR_INLINE bool any_greater(F32 a, F32 b) {
  return vmaxvq_u32(vcgtq_f32(a.v, b.v)) != 0;
}
STAIR_INLINE F32 to_float(I32 a) {
  return {vcvtq_f32_s32(a.v)};
}
/// To nearest, ties to even.
STAIR_INLINE I32 round(F32 a) {
  return {vcvtnq_s32_f32(a.v)};
}

STAIR_INLINE Bytes load_block(const std::uint8_t* p) {
  return {vld1q_u8(p)};
}
/// Only the first n bytes are read; the others are 0.
STAIR_INLINE Bytes load_block(const std::uint8_t* p, std::int64_t n) {
  if (n >= 4 * lanes) return load_block(p);
  std::uint8_t some[4 * lanes] = {};
  for (std::int64_t i = 0; i < n; ++i) some[i] = p[i];
  return load_block(some);
}
STAIR_INLINE void store(std::uint8_t* p, Bytes a) {
  vst1q_u8(p, a.v);
}
STAIR_INLINE void store(std::uint8_t* p, Bytes a, std::int64_t n) {
  if (n >= 4 * lanes) return store(p, a);
  std::uint8_t all[4 * lanes];
  store(all, a);
  for (std::int64_t i = 0; i < n; ++i) p[i] = all[i];
}
STAIR_INLINE Bytes max_u8(Bytes a, Bytes b) {
  return {vmaxq_u8(a.v, b.v)};
}
STAIR_INLINE Bytes max_s8(Bytes a, Bytes b) {
  return {vreinterpretq_u8_s8(vmaxq_s8(vreinterpretq_s8_u8(a.v), vreinterpretq_s8_u8(b.v)))};
}

/// Stores sums that stand in the order of interleave4 in the order of the bytes.
STAIR_INLINE void store_quarters(std::int32_t* p, I32 a, I32 b, I32 c, I32 d) {
  store(p, a);
  store(p + 4, b);
  store(p + 8, c);
  store(p + 12, d);
}

}  // namespace
}  // namespace stair::backends::int8
