#include "backends/int8/avx512_vnni/turn.h"
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
      turn(square);
      std::uint32_t* line = to + c * rows + r;
      if (height == 16) {
        for (int i = 0; i < width; ++i, line += rows) _mm512_storeu_ps(line, square[i]);
      } else {
        for (int i = 0; i < width; ++i, line += rows) _mm512_mask_storeu_ps(line, first_lanes(height), square[i]);
      }
    }
  }
}

}  // namespace

void transpose(Kernels& kernels);
void transpose(Kernels& kernels) {
  kernels.transpose = run_transpose;
}

}  // namespace stair::backends::int8::avx512_vnni
