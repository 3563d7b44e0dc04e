#pragma once

// NEON as every 64-bit ARM processor has it: products of bytes are widened to 16 bits and added in pairs to 32.

#include "backends/int8/neon/lanes.h"

namespace stair::backends::int8 {
namespace {

/// Activations as dot4 wants them, 4 signed bytes a lane: bytes 0 and 1 of all lanes, and 2 and 3.
struct Activations {
  int8x8_t low, high;
};
/// Weights as dot4 wants them: 4 signed bytes a lane, taken apart in the same way.
struct Weights {
  int8x8_t low, high;
};

// Sums of products.
STAIR_INLINE Activations broadcast4(const std::uint8_t* p) {
  std::int16_t two[2];
  __builtin_memcpy(two, p, sizeof two);
  return {vreinterpret_s8_s16(vdup_n_s16(two[0])), vreinterpret_s8_s16(vdup_n_s16(two[1]))};
}
STAIR_INLINE Weights halves(int8x16_t bytes) {
  const int16x8_t w = vreinterpretq_s16_s8(bytes);
  return {vreinterpret_s8_s16(vget_low_s16(vuzp1q_s16(w, w))), vreinterpret_s8_s16(vget_low_s16(vuzp2q_s16(w, w)))};
}
STAIR_INLINE Weights load_weights(const std::int8_t* p) {
  return halves(vld1q_s8(p));
}
/// Field i of each byte, of `bits` bits, moved to the byte's high bits; below it are zeros.
template <int bits>
STAIR_INLINE Weights high_field(Bytes a, int i) {
  return halves(vreinterpretq_s8_u8(
      vandq_u8(vshlq_u8(a.v, vdupq_n_s8(static_cast<std::int8_t>(8 - bits * (i + 1)))), vdupq_n_u8(bits == 4 ? 0xf0 : 0xc0))));
}
/// sum[i] + the sum over j < 4 of a[i][j] * w[i][j]
STAIR_INLINE I32 dot4(I32 sum, Activations a, Weights w) {
  return {vpadalq_s16(vpadalq_s16(sum.v, vmull_s8(a.low, w.low)), vmull_s8(a.high, w.high))};
}

/// Bytes i of a, b, c and d become neighbours: quarter q holds those of i = 16 * block + 4 * q + (0…3) for each 128-bit block.
struct Quarters {
  Activations quarter[4];
};
STAIR_INLINE Quarters interleave4(Bytes a, Bytes b, Bytes c, Bytes d) {
  const int8x16_t ab_low = vreinterpretq_s8_u8(vzip1q_u8(a.v, b.v)), ab_high = vreinterpretq_s8_u8(vzip2q_u8(a.v, b.v));
  const int8x16_t cd_low = vreinterpretq_s8_u8(vzip1q_u8(c.v, d.v)), cd_high = vreinterpretq_s8_u8(vzip2q_u8(c.v, d.v));
  return {{{vget_low_s8(ab_low), vget_low_s8(cd_low)},
           {vget_high_s8(ab_low), vget_high_s8(cd_low)},
           {vget_low_s8(ab_high), vget_low_s8(cd_high)},
           {vget_high_s8(ab_high), vget_high_s8(cd_high)}}};
}

}  // namespace
}  // namespace stair::backends::int8
