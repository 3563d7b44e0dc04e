#pragma once

// AMX tiles (Intel SDM, volume 1, chapter 18): tiles 0 to 3 are sums, 4 and 5 activations, 6 and 7 weights.

#include <immintrin.h>

#include <cstdint>

#include "backends/multiversion.h"

namespace stair::backends::int8 {
namespace {

constexpr std::int64_t tile_rows = 16;

/// The operand of ldtilecfg.
struct alignas(64) TileConfiguration {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t bytes_a_row[16] = {};
  std::uint8_t rows[16] = {};
};

/// Tiles for steps of so many groups of 4 along the k axis, at most 16.
STAIR_INLINE void configure_tiles(std::int64_t groups) {
  TileConfiguration c;
  for (int tile = 0; tile < 8; ++tile) {
    const bool activations = tile == 4 || tile == 5;
    const bool weights = tile >= 6;
    c.bytes_a_row[tile] = static_cast<std::uint16_t>(activations ? 4 * groups : 64);
    c.rows[tile] = static_cast<std::uint8_t>(weights ? groups : tile_rows);
  }
  __asm__ volatile("" : : "r"(&c) : "memory");  // GCC 12 believes that the next line reads 8 bytes, and drops the other stores
  _tile_loadconfig(&c);
}

}  // namespace
}  // namespace stair::backends::int8
