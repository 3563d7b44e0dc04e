#include "backends/int8/avx512_vnni/transpose.h"

#include "backends/int8/kernels.h"

namespace stair::backends::int8::avx512_vnni {
namespace {

// Squares of 16 x 16 words, so that whole cache lines of the result are written.
void run_transpose(const std::uint32_t* from, std::int64_t rows, std::int64_t columns, std::uint32_t* to) {
  for (std::int64_t r = 0; r < rows; r += 16) {
    const std::int64_t height = rows - r < 16 ? rows - r : 16;
    for (std::int64_t c = 0; c < columns; c += 16) {
      const std::int64_t width = columns - c < 16 ? columns - c : 16;
      const __mmask16 inside = first_lanes(width);
      __m512 square[16];
      for (int i = 0; i < 16; ++i) {
        square[i] = _mm512_maskz_loadu_ps(i < height ? inside : __mmask16{0}, from + (r + i) * columns + c);
      }
      transpose(square);
      std::uint32_t* line = to + c * rows + r;
      if (height == 16) {
        for (int i = 0; i < width; ++i, line += rows) _mm512_storeu_ps(line, square[i]);
      } else {
        for (int i = 0; i < width; ++i, line += rows) _mm512_mask_storeu_ps(line, first_lanes(height), square[i]);
      }
    }
  }
}

/// Four squares of 16 x 16 bytes side by side: lane l of rows[j] becomes column 16 * l + j.
STAIR_INLINE void turn_bytes(__m512i (&rows)[16]) {
  for (int round = 0; round < 4; ++round) {  // each interleaves row i with row i + 8
    __m512i next[16];
    for (int i = 0; i < 8; ++i) {
      next[2 * i] = _mm512_unpacklo_epi8(rows[i], rows[i + 8]);
      next[2 * i + 1] = _mm512_unpackhi_epi8(rows[i], rows[i + 8]);
    }
    for (int i = 0; i < 16; ++i) rows[i] = next[i];
  }
}

/// Columns of 16 bytes that are neighbours in memory, four of them a cache line.
STAIR_INLINE void store_joined(const __m512i (&columns)[16], std::uint8_t* to) {
  for (int j = 0; j < 16; j += 4) {
    const __m512i a = _mm512_shuffle_i32x4(columns[j], columns[j + 1], 0x44);  // lanes 0 and 1 of both
    const __m512i b = _mm512_shuffle_i32x4(columns[j + 2], columns[j + 3], 0x44);
    const __m512i c = _mm512_shuffle_i32x4(columns[j], columns[j + 1], 0xEE);  // lanes 2 and 3
    const __m512i d = _mm512_shuffle_i32x4(columns[j + 2], columns[j + 3], 0xEE);
    _mm512_storeu_si512(to + 16 * j, _mm512_shuffle_i32x4(a, b, 0x88));
    _mm512_storeu_si512(to + 16 * (16 + j), _mm512_shuffle_i32x4(a, b, 0xDD));
    _mm512_storeu_si512(to + 16 * (32 + j), _mm512_shuffle_i32x4(c, d, 0x88));
    _mm512_storeu_si512(to + 16 * (48 + j), _mm512_shuffle_i32x4(c, d, 0xDD));
  }
}

template <int l>
STAIR_INLINE void store_lane(const __m512i (&columns)[16], std::int64_t width, __mmask16 inside, std::int64_t stride, std::uint8_t* to) {
  to += 16 * l * stride;
  for (int j = 0; j < 16 && 16 * l + j < width; ++j, to += stride) {
    _mm_mask_storeu_epi8(to, inside, _mm512_extracti32x4_epi32(columns[j], l));
  }
}

void run_transpose_bytes(const std::uint8_t* from, std::int64_t rows, std::int64_t columns, std::uint8_t* to) {
  for (std::int64_t c = 0; c < columns; c += 64) {
    const std::int64_t width = columns - c < 64 ? columns - c : 64;
    const __mmask64 inside = width == 64 ? ~__mmask64{0} : (__mmask64{1} << width) - 1;
    for (std::int64_t r = 0; r < rows; r += 16) {
      const std::int64_t height = rows - r < 16 ? rows - r : 16;
      __m512i block[16];
      for (int i = 0; i < 16; ++i) {
        block[i] = _mm512_maskz_loadu_epi8(i < height ? inside : __mmask64{0}, from + (r + i) * columns + c);
      }
      turn_bytes(block);
      std::uint8_t* first = to + c * rows + r;
      if (rows == 16 && width == 64) {
        store_joined(block, first);
        continue;
      }
      const __mmask16 there = first_lanes(height);
      store_lane<0>(block, width, there, rows, first);
      store_lane<1>(block, width, there, rows, first);
      store_lane<2>(block, width, there, rows, first);
      store_lane<3>(block, width, there, rows, first);
    }
  }
}

}  // namespace

void transpose(Kernels& kernels);
void transpose(Kernels& kernels) {
  kernels.transpose = run_transpose;
  kernels.transpose_bytes = run_transpose_bytes;
}

}  // namespace stair::backends::int8::avx512_vnni
