#pragma once

// Tables of 256 bytes in 16 registers, for both variants of NEON.

#include <arm_neon.h>

#include "backends/int8/templates/lookup.h"

namespace stair::backends::int8 {
namespace {

// A lookup takes 64 entries at once. An index outside of them leaves the byte that was found before.
void register_lookup(const std::uint8_t* table, std::uint8_t flip, const std::uint8_t* q, std::uint8_t* y, std::int64_t count) {
  const uint8x16x4_t entries0 = vld1q_u8_x4(table), entries1 = vld1q_u8_x4(table + 64);
  const uint8x16x4_t entries2 = vld1q_u8_x4(table + 128), entries3 = vld1q_u8_x4(table + 192);
  const uint8x16_t flips = vdupq_n_u8(flip), quarter = vdupq_n_u8(64);
  std::int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    uint8x16_t index = veorq_u8(vld1q_u8(q + i), flips);
    uint8x16_t found = vqtbl4q_u8(entries0, index);
    index = vsubq_u8(index, quarter);
    found = vqtbx4q_u8(found, entries1, index);
    index = vsubq_u8(index, quarter);
    found = vqtbx4q_u8(found, entries2, index);
    index = vsubq_u8(index, quarter);
    vst1q_u8(y + i, vqtbx4q_u8(found, entries3, index));
  }
  run_lookup(table, flip, q + i, y + i, count - i);
}

}  // namespace
}  // namespace stair::backends::int8
