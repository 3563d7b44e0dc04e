#pragma once

// NEON with dot products (ARMv8.2): sdot.

#include "backends/int8/neon/lanes.h"

namespace stair::backends::int8 {
namespace {

/// Activations as dot4 wants them: 4 signed bytes a lane.
struct Activations {
  int8x16_t v;
};
/// Weights as dot4 wants them: 4 signed bytes a lane.
struct Weights {
  int8x16_t v;
};

// Sums of products.
STAIR_INLINE Activations broadcast4(const std::uint8_t* p) {
  std::int32_t four;
  __builtin_memcpy(&four, p, sizeof four);
  return {vreinterpretq_s8_s32(vdupq_n_s32(four))};
}
STAIR_INLINE Weights load_weights(const std::int8_t* p) {
  return {vld1q_s8(p)};
}
/// Field i of each byte, of `bits` bits, moved to the byte's high bits; below it are zeros.
template <int bits>
STAIR_INLINE Weights high_field(Bytes a, int i) {
  return {vreinterpretq_s8_u8(
      vandq_u8(vshlq_u8(a.v, vdupq_n_s8(static_cast<std::int8_t>(8 - bits * (i + 1)))), vdupq_n_u8(bits == 4 ? 0xf0 : 0xc0)))};
}
/// sum[i] + the sum over j < 4 of a[i][j] * w[i][j]
STAIR_INLINE I32 dot4(I32 sum, Activations a, Weights w) {
  return {vdotq_s32(sum.v, a.v, w.v)};
}

/// Bytes i of a, b, c and d become neighbours: quarter q holds those of i = 16 * block + 4 * q + (0…3) for each 128-bit block.
struct Quarters {
  Activations quarter[4];
};
STAIR_INLINE Quarters interleave4(Bytes a, Bytes b, Bytes c, Bytes d) {
  const uint16x8_t ab_low = vreinterpretq_u16_u8(vzip1q_u8(a.v, b.v)), ab_high = vreinterpretq_u16_u8(vzip2q_u8(a.v, b.v));
  const uint16x8_t cd_low = vreinterpretq_u16_u8(vzip1q_u8(c.v, d.v)), cd_high = vreinterpretq_u16_u8(vzip2q_u8(c.v, d.v));
  return {{{vreinterpretq_s8_u16(vzip1q_u16(ab_low, cd_low))},
           {vreinterpretq_s8_u16(vzip2q_u16(ab_low, cd_low))},
           {vreinterpretq_s8_u16(vzip1q_u16(ab_high, cd_high))},
           {vreinterpretq_s8_u16(vzip2q_u16(ab_high, cd_high))}}};
}

}  // namespace
}  // namespace stair::backends::int8
