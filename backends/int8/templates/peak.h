#pragma once

// How fast products can get at all: dot products on registers alone. Over vector.h of a variant, which stands before this in the including
// file.

#include "backends/int8/kernels.h"

namespace stair::backends::int8 {
namespace {

/// `rounds` times `sums` independent dot products; yields how many products of two integers that was.
template <int sums>
std::int64_t multiply_registers(std::int64_t rounds) {
  static volatile std::int32_t sink;
  alignas(64) std::int8_t ones[4 * lanes];
  for (std::int8_t& one : ones) one = static_cast<std::int8_t>(sink & 1);
  const Weights w = load_weights(ones);
  const Activations a = broadcast4(reinterpret_cast<const std::uint8_t*>(ones));
  I32 sum[sums];
#pragma GCC unroll 32
  for (I32& s : sum) s = splat(0);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 32
    for (I32& s : sum) s = dot4(s, a, w);
  }
  for (int i = 1; i < sums; ++i) sum[0] = sum[0] + sum[i];
  std::int32_t result[lanes];
  store(result, sum[0]);
  sink = result[0];
  return rounds * sums * lanes * 4;
}

}  // namespace
}  // namespace stair::backends::int8
