#include "backends/int8/transpose.h"

#include "backends/int8/pieces.h"

namespace stair::backends::int8 {

namespace {

// The compilers' vector types: on every processor four rounds of unpacking transpose 16x16 bytes.
constexpr int side = 16;
using Row __attribute__((vector_size(side))) = std::uint8_t;

void transpose_block(const std::uint8_t* from, std::int64_t from_stride, std::uint8_t* to, std::int64_t to_stride) {
  Row rows[side];
  for (int i = 0; i < side; ++i) __builtin_memcpy(&rows[i], from + i * from_stride, side);
  // Each round interleaves row i with row i + 8.
  for (int round = 0; round < 4; ++round) {
    Row next[side];
#pragma GCC unroll 8
    for (int i = 0; i < side / 2; ++i) {
      const Row a = rows[i];
      const Row b = rows[i + side / 2];
      next[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      next[2 * i + 1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    __builtin_memcpy(rows, next, sizeof(rows));
  }
  for (int i = 0; i < side; ++i) __builtin_memcpy(to + i * to_stride, &rows[i], side);
}

// Rows [first, last) of one matrix. There are `side` of them or more, and as many columns: the last block of each direction reaches back.
void transpose_rows(const std::uint8_t* from, std::int64_t rows, std::int64_t columns, std::int64_t first, std::int64_t last,
                    std::uint8_t* to) {
  for (std::int64_t at = first; at < last; at += side) {
    const std::int64_t r = std::min(at, last - side);
    for (std::int64_t column = 0; column < columns; column += side) {
      const std::int64_t c = std::min(column, columns - side);
      transpose_block(from + r * columns + c, columns, to + c * rows + r, rows);
    }
  }
}

}  // namespace

void transpose(const std::uint8_t* from, std::int64_t images, std::int64_t rows, std::int64_t columns, std::uint8_t* to, int threads) {
  if (rows < side || columns < side) return transpose<std::uint8_t>(from, images, rows, columns, to, threads);
  const std::int64_t bands = rows / side;  // the last takes what is left
  for_pieces(images * bands, 1, (1 << 17) / (side * columns), threads, [&](std::int64_t first, std::int64_t last) {
    for (; first < last; ++first) {
      const std::int64_t image = first / bands * rows * columns;
      const std::int64_t band = first % bands;
      transpose_rows(from + image, rows, columns, band * side, band + 1 < bands ? (band + 1) * side : rows, to + image);
    }
  });
}

}  // namespace stair::backends::int8
