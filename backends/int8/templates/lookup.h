#pragma once

// Tables of 256 bytes, one element at a time.

#include "backends/int8/kernels.h"

namespace stair::backends::int8 {
namespace {

void run_lookup(const std::uint8_t* table, std::uint8_t flip, const std::uint8_t* q, std::uint8_t* y, std::int64_t count) {
#pragma GCC unroll 8
  for (std::int64_t i = 0; i < count; ++i) y[i] = table[q[i] ^ flip];
}

}  // namespace
}  // namespace stair::backends::int8
