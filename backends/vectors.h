#pragma once

// 16 floats as one value in multiversioned functions: the compilers' vector types, which stay in registers where arrays of lanes would go
// through memory with each iteration, on any instruction set.

#include <cstdint>

#include "backends/multiversion.h"

namespace stair::backends {

using Floats __attribute__((vector_size(64))) = float;
using Words __attribute__((vector_size(64))) = std::int32_t;

STAIR_INLINE void load(const float* from, Floats& x) {
  __builtin_memcpy(&x, from, sizeof x);
}
STAIR_INLINE void store(const Floats& x, float* to) {
  __builtin_memcpy(to, &x, sizeof x);
}

/// x where the bit of the lane is set (backends/masks.h), else 0.
STAIR_INLINE void keep_marked(const std::uint8_t* mask, Floats& x) {
  constexpr Words bits = {1 << 0, 1 << 1, 1 << 2,  1 << 3,  1 << 4,  1 << 5,  1 << 6,  1 << 7,
                          1 << 8, 1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15};
  const Words set = (Words{} + (mask[0] | mask[1] << 8)) & bits;
  x = set != 0 ? x : Floats{};
}

}  // namespace stair::backends
