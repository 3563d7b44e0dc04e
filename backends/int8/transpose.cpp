#include "backends/int8/transpose.h"

#include "backends/int8/parallel_for.h"

namespace stair::backends::int8 {

namespace {

// The compilers' vector types: on every processor rounds of unpacking transpose a square of 16x16 bytes or 4x4 words.
template <class T>
struct Square;

template <>
struct Square<std::uint8_t> {
  static constexpr int side = 16;
  static constexpr int rounds = 4;
  using Row __attribute__((vector_size(16))) = std::uint8_t;
  static Row low(Row a, Row b) { return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23); }
  static Row high(Row a, Row b) { return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31); }
};

template <>
struct Square<std::uint32_t> {
  static constexpr int side = 4;
  static constexpr int rounds = 2;
  using Row __attribute__((vector_size(16))) = std::uint32_t;
  static Row low(Row a, Row b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
  static Row high(Row a, Row b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
};

template <class T>
void transpose_square(const T* from, std::int64_t from_stride, T* to, std::int64_t to_stride) {
  using S = Square<T>;
  constexpr int side = S::side;
  typename S::Row rows[side];
  for (int i = 0; i < side; ++i) __builtin_memcpy(&rows[i], from + i * from_stride, sizeof(rows[i]));
  // Each round interleaves row i with row i + side / 2.
  for (int round = 0; round < S::rounds; ++round) {
    typename S::Row next[side];
#pragma GCC unroll 8
    for (int i = 0; i < side / 2; ++i) {
      next[2 * i] = S::low(rows[i], rows[i + side / 2]);
      next[2 * i + 1] = S::high(rows[i], rows[i + side / 2]);
    }
    __builtin_memcpy(rows, next, sizeof(rows));
  }
  for (int i = 0; i < side; ++i) __builtin_memcpy(to + i * to_stride, &rows[i], sizeof(rows[i]));
}

// Rows [first, last) of one matrix. There are `side` of them or more, and as many columns: the last square of each direction reaches back.
// A cache line of each column is written at once: columns that are a power of two apart share few places of the cache.
template <class T>
void transpose_rows(const T* from, std::int64_t rows, std::int64_t columns, std::int64_t first, std::int64_t last, T* to) {
  constexpr std::int64_t side = Square<T>::side;
  constexpr std::int64_t line = 64 / sizeof(T);
  for (std::int64_t begin = first; begin < last; begin += line) {
    for (std::int64_t column = 0; column < columns; column += side) {
      const std::int64_t c = std::min(column, columns - side);
      for (std::int64_t at = begin; at < std::min(last, begin + line); at += side) {
        const std::int64_t r = std::min(at, last - side);
        transpose_square(from + r * columns + c, columns, to + c * rows + r, rows);
      }
    }
  }
}

template <class T>
void transpose_squares(const T* from, std::int64_t images, std::int64_t rows, std::int64_t columns, T* to, int threads) {
  constexpr std::int64_t side = Square<T>::side;
  if (rows < side || columns < side) return transpose<T>(from, images, rows, columns, to, threads);
  constexpr std::int64_t height = 4 * side;                             // of a band
  const std::int64_t bands = std::max<std::int64_t>(1, rows / height);  // the last takes what is left
  parallel_for(images * bands, 1, (1 << 17) / (height * columns), threads, [&](std::int64_t first, std::int64_t last) {
    for (; first < last; ++first) {
      const std::int64_t image = first / bands * rows * columns;
      const std::int64_t band = first % bands;
      transpose_rows(from + image, rows, columns, band * height, band + 1 < bands ? (band + 1) * height : rows, to + image);
    }
  });
}

}  // namespace

void transpose(const std::uint8_t* from, std::int64_t images, std::int64_t rows, std::int64_t columns, std::uint8_t* to, int threads) {
  transpose_squares(from, images, rows, columns, to, threads);
}

void transpose(const std::uint32_t* from, std::int64_t images, std::int64_t rows, std::int64_t columns, std::uint32_t* to, int threads) {
  transpose_squares(from, images, rows, columns, to, threads);
}

}  // namespace stair::backends::int8
