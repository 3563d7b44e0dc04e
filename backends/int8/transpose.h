#pragma once

#include <algorithm>
#include <cstdint>

#include "backends/parallel_for.h"

namespace stair::backends::int8 {

/// [images, rows, columns] to [images, columns, rows], a block at a time, so that both sides stay in the cache.
template <class T>
void transpose(const T* from, std::int64_t images, std::int64_t rows, std::int64_t columns, T* to, int threads) {
  constexpr std::int64_t block = 32;
  constexpr std::int64_t least = 1 << 18;  // elements for which waking another thread pays
  const std::int64_t row_blocks = (rows + block - 1) / block;
  const std::int64_t items = images * row_blocks;
  parallel_for(items, images * rows * columns >= least ? threads : 1, [&](std::int64_t item, int) {
    const std::int64_t image = item / row_blocks * rows * columns;
    const std::int64_t first = item % row_blocks * block;
    const std::int64_t last = std::min(rows, first + block);
    for (std::int64_t c0 = 0; c0 < columns; c0 += block) {
      for (std::int64_t r = first; r < last; ++r) {
        for (std::int64_t c = c0; c < std::min(columns, c0 + block); ++c) to[image + c * rows + r] = from[image + r * columns + c];
      }
    }
  });
}

/// The same in vectors.
void transpose(const std::uint8_t* from, std::int64_t images, std::int64_t rows, std::int64_t columns, std::uint8_t* to, int threads);
void transpose(const std::uint32_t* from, std::int64_t images, std::int64_t rows, std::int64_t columns, std::uint32_t* to, int threads);

}  // namespace stair::backends::int8
