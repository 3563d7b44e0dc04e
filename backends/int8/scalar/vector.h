#pragma once

// Plain C++: 4 lanes of 32 bits, for any machine. The same names stand in each variant's vector.h; templates/*.h are written over them.

#include <cstdint>

#include "backends/multiversion.h"
#include "ir/numerics.h"

namespace stair::backends::int8 {
namespace {

constexpr int lanes = 4;

struct I32 {
  std::int32_t v[lanes];
};
struct F32 {
  float v[lanes];
};
/// lanes * 4 bytes.
struct Bytes {
  std::uint8_t v[lanes * 4];
};
/// Activations as dot4 wants them: 4 unsigned bytes a lane.
struct Activations {
  std::uint8_t v[lanes * 4];
};
/// Weights as dot4 wants them: 4 signed bytes a lane.
struct Weights {
  std::int8_t v[lanes * 4];
};

template <class Result, class Function>
STAIR_INLINE Result each(Function&& function) {
  Result result;
  for (int i = 0; i < lanes; ++i) result.v[i] = function(i);
  return result;
}

// Memory. With a count, only so many lanes are read (the others are 0) or written.
STAIR_INLINE I32 load(const std::int32_t* p) {
  return each<I32>([&](int i) { return p[i]; });
}
STAIR_INLINE F32 load(const float* p) {
  return each<F32>([&](int i) { return p[i]; });
}
STAIR_INLINE I32 load(const std::int32_t* p, std::int64_t n) {
  return each<I32>([&](int i) { return i < n ? p[i] : 0; });
}
STAIR_INLINE F32 load(const float* p, std::int64_t n) {
  return each<F32>([&](int i) { return i < n ? p[i] : 0.0F; });
}
STAIR_INLINE void store(std::int32_t* p, I32 a, std::int64_t n = lanes) {
  for (std::int64_t i = 0; i < n; ++i) p[i] = a.v[i];
}
STAIR_INLINE void store(float* p, F32 a, std::int64_t n = lanes) {
  for (std::int64_t i = 0; i < n; ++i) p[i] = a.v[i];
}
/// Bytes widened to a lane each.
STAIR_INLINE I32 load_u8(const std::uint8_t* p, std::int64_t n = lanes) {
  return each<I32>([&](int i) { return i < n ? std::int32_t{p[i]} : 0; });
}
STAIR_INLINE I32 load_s8(const std::uint8_t* p, std::int64_t n = lanes) {
  return each<I32>([&](int i) { return i < n ? std::int32_t{static_cast<std::int8_t>(p[i])} : 0; });
}
/// The low byte of each lane.
STAIR_INLINE void store_bytes(std::uint8_t* p, I32 a, std::int64_t n = lanes) {
  for (std::int64_t i = 0; i < n; ++i) p[i] = static_cast<std::uint8_t>(a.v[i]);
}

/// Bit i: whether low[i] <= a[i] <= high[i].
STAIR_INLINE std::uint32_t between(F32 a, F32 low, F32 high) {
  std::uint32_t bits = 0;
  for (int i = 0; i < lanes; ++i) bits |= static_cast<std::uint32_t>(a.v[i] >= low.v[i] && a.v[i] <= high.v[i]) << i;
  return bits;
}

/// The three low bytes of each lane, one behind the other.
STAIR_INLINE void store_triples(std::uint8_t* p, I32 a, std::int64_t n = lanes) {
  for (std::int64_t i = 0; i < 3 * n; ++i) p[i] = static_cast<std::uint8_t>(a.v[i / 3] >> (i % 3 * 8));
}

STAIR_INLINE I32 splat(std::int32_t x) {
  return each<I32>([&](int) { return x; });
}
STAIR_INLINE F32 splat(float x) {
  return each<F32>([&](int) { return x; });
}

// Integers, modulo 2^32.
STAIR_INLINE std::uint32_t modulo(std::int32_t x) {
  return static_cast<std::uint32_t>(x);
}
STAIR_INLINE I32 operator+(I32 a, I32 b) {
  return each<I32>([&](int i) { return static_cast<std::int32_t>(modulo(a.v[i]) + modulo(b.v[i])); });
}
STAIR_INLINE I32 operator-(I32 a, I32 b) {
  return each<I32>([&](int i) { return static_cast<std::int32_t>(modulo(a.v[i]) - modulo(b.v[i])); });
}
STAIR_INLINE I32 operator*(I32 a, I32 b) {
  return each<I32>([&](int i) { return static_cast<std::int32_t>(modulo(a.v[i]) * modulo(b.v[i])); });
}
STAIR_INLINE I32 operator&(I32 a, I32 b) {
  return each<I32>([&](int i) { return a.v[i] & b.v[i]; });
}
STAIR_INLINE I32 max(I32 a, I32 b) {
  return each<I32>([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
STAIR_INLINE I32 min(I32 a, I32 b) {
  return each<I32>([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
STAIR_INLINE I32 shift_left(I32 a, I32 n) {
  return each<I32>([&](int i) { return static_cast<std::int32_t>(modulo(a.v[i]) << n.v[i]); });
}
STAIR_INLINE I32 shift_right(I32 a, I32 n) {
  return each<I32>([&](int i) { return a.v[i] >> n.v[i]; });
}
STAIR_INLINE I32 shift_right_logical(I32 a, I32 n) {
  return each<I32>([&](int i) { return static_cast<std::int32_t>(modulo(a.v[i]) >> n.v[i]); });
}
/// -1 where a > b, else 0.
STAIR_INLINE I32 greater(I32 a, I32 b) {
  return each<I32>([&](int i) { return a.v[i] > b.v[i] ? -1 : 0; });
}
/// `yes` where a == b, else `no`.
STAIR_INLINE I32 select_equal(I32 a, I32 b, I32 yes, I32 no) {
  return each<I32>([&](int i) { return a.v[i] == b.v[i] ? yes.v[i] : no.v[i]; });
}
/// (a * b + 2^30) >> 31 of the 64-bit product: the doubling high multiply, rounded (N-REQ-FIXED).
STAIR_INLINE I32 doubling_high(I32 a, I32 b) {
  return each<I32>(
      [&](int i) { return static_cast<std::int32_t>((std::int64_t{a.v[i]} * std::int64_t{b.v[i]} + (std::int64_t{1} << 30)) >> 31); });
}
/// table[i] of each lane.
STAIR_INLINE I32 gather(const std::int32_t* table, I32 i) {
  return each<I32>([&](int lane) { return table[i.v[lane]]; });
}
/// (a * factor + half) >> shift of each lane: of the unsigned product in 64 bits, the low 32 bits.
STAIR_INLINE I32 shifted_product(I32 a, std::uint32_t factor, std::uint64_t half, int shift) {
  return each<I32>(
      [&](int i) { return static_cast<std::int32_t>((std::uint64_t{static_cast<std::uint32_t>(a.v[i])} * factor + half) >> shift); });
}
/// (a * factor + more) >> shift of each lane: of the sum in 64 bits, which is at least 0, the low 32 bits.
STAIR_INLINE I32 shifted_signed_product(I32 a, std::int32_t factor, std::int64_t more, int shift) {
  return each<I32>([&](int i) { return static_cast<std::int32_t>((std::int64_t{a.v[i]} * factor + more) >> shift); });
}
/// (a * b + c * 2^16 + half) >> shift of each lane, whose sum is less than 2^60, limited to 30 bits and a sign.
STAIR_INLINE I32 limited_sum(I32 a, I32 b, I32 c, std::int64_t half, int shift) {
  return each<I32>([&](int i) {
    const std::int64_t found = (std::int64_t{a.v[i]} * b.v[i] + std::int64_t{c.v[i]} * (1 << 16) + half) >> shift;
    constexpr std::int64_t most = 1 << 30;
    return static_cast<std::int32_t>(found > most ? most : (found < -most ? -most : found));
  });
}

// Floats.
STAIR_INLINE F32 operator+(F32 a, F32 b) {
  return each<F32>([&](int i) { return a.v[i] + b.v[i]; });
}
STAIR_INLINE F32 operator-(F32 a, F32 b) {
  return each<F32>([&](int i) { return a.v[i] - b.v[i]; });
}
STAIR_INLINE F32 operator*(F32 a, F32 b) {
  return each<F32>([&](int i) { return a.v[i] * b.v[i]; });
}
STAIR_INLINE F32 operator/(F32 a, F32 b) {
  return each<F32>([&](int i) { return a.v[i] / b.v[i]; });
}
/// b where a is NaN.
STAIR_INLINE F32 max(F32 a, F32 b) {
  return each<F32>([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
STAIR_INLINE F32 min(F32 a, F32 b) {
  return each<F32>([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
STAIR_INLINE F32 absolute(F32 a) {
  return each<F32>([&](int i) { return a.v[i] < 0 ? -a.v[i] : a.v[i]; });
}
STAIR_INLINE bool any_greater(F32 a, F32 b) {
  for (int i = 0; i < lanes; ++i) {
    if (a.v[i] > b.v[i]) return true;
  }
  return false;
}
STAIR_INLINE F32 to_float(I32 a) {
  return each<F32>([&](int i) { return static_cast<float>(a.v[i]); });
}
/// To nearest, ties to even.
STAIR_INLINE I32 round(F32 a) {
  return each<I32>([&](int i) { return static_cast<std::int32_t>(ir::round_even(a.v[i])); });
}

// Sums of products.
STAIR_INLINE Activations broadcast4(const std::uint8_t* p) {
  Activations a;
  for (int i = 0; i < lanes * 4; ++i) a.v[i] = p[i % 4];
  return a;
}
STAIR_INLINE Weights load_weights(const std::int8_t* p) {
  Weights w;
  for (int i = 0; i < lanes * 4; ++i) w.v[i] = p[i];
  return w;
}
/// Field i of each byte, of `bits` bits, moved to the byte's high bits; below it are zeros.
template <int bits>
STAIR_INLINE Weights high_field(Bytes a, int i) {
  Weights w;
  for (int j = 0; j < lanes * 4; ++j) w.v[j] = static_cast<std::int8_t>((a.v[j] << (8 - bits * (i + 1))) & (256 - (1 << (8 - bits))));
  return w;
}
/// sum[i] + the sum over j < 4 of a[i][j] * w[i][j]
STAIR_INLINE I32 dot4(I32 sum, Activations a, Weights w) {
  return each<I32>([&](int i) {
    std::int32_t dot = 0;
    for (int j = 0; j < 4; ++j) dot += a.v[4 * i + j] * w.v[4 * i + j];
    return static_cast<std::int32_t>(modulo(sum.v[i]) + modulo(dot));
  });
}

/// Only the first n bytes are read; the others are 0.
STAIR_INLINE Bytes load_block(const std::uint8_t* p, std::int64_t n = 4 * lanes) {
  Bytes a;
  for (int i = 0; i < lanes * 4; ++i) a.v[i] = i < n ? p[i] : std::uint8_t{0};
  return a;
}
STAIR_INLINE void store(std::uint8_t* p, Bytes a, std::int64_t n = 4 * lanes) {
  for (std::int64_t i = 0; i < n && i < 4 * lanes; ++i) p[i] = a.v[i];
}
STAIR_INLINE Bytes max_u8(Bytes a, Bytes b) {
  for (int i = 0; i < lanes * 4; ++i) a.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
  return a;
}
/// x ^ 0x80 of each byte: u8 to s8 and back, 128 less or more.
STAIR_INLINE Bytes flip(Bytes a) {
  for (int i = 0; i < lanes * 4; ++i) a.v[i] = static_cast<std::uint8_t>(a.v[i] ^ 0x80);
  return a;
}
STAIR_INLINE Bytes max_s8(Bytes a, Bytes b) {
  return flip(max_u8(flip(a), flip(b)));
}

/// Bytes i of a, b, c and d become neighbours: quarter q holds those of i = 16 * block + 4 * q + (0…3) for each 128-bit block.
struct Quarters {
  Activations quarter[4];
};
STAIR_INLINE Quarters interleave4(Bytes a, Bytes b, Bytes c, Bytes d) {
  Quarters all;
  for (int i = 0; i < 16; ++i) {
    std::uint8_t* to = all.quarter[i / 4].v + i % 4 * 4;
    to[0] = a.v[i];
    to[1] = b.v[i];
    to[2] = c.v[i];
    to[3] = d.v[i];
  }
  return all;
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
