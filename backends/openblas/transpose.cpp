#include "backends/openblas/transpose.h"

#include <algorithm>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace stair::backends::openblas {

void transpose(const float* from, std::int64_t from_step, std::int64_t rows, std::int64_t columns, float* to, std::int64_t to_step) {
  constexpr std::int64_t line = 16;  // whole cache lines of the result
  for (std::int64_t r = 0; r < rows; r += line) {
    const std::int64_t r_end = std::min(rows, r + line);
    std::int64_t c = 0;
#if defined(__SSE2__)
    if (r_end == r + line) {
      for (; c + 4 <= columns; c += 4) {
        for (std::int64_t i = r; i < r_end; i += 4) {
          const float* corner = from + i * from_step + c;
          __m128 a = _mm_loadu_ps(corner);
          __m128 b = _mm_loadu_ps(corner + from_step);
          __m128 d = _mm_loadu_ps(corner + 2 * from_step);
          __m128 e = _mm_loadu_ps(corner + 3 * from_step);
          _MM_TRANSPOSE4_PS(a, b, d, e);
          float* out = to + c * to_step + i;
          _mm_storeu_ps(out, a);
          _mm_storeu_ps(out + to_step, b);
          _mm_storeu_ps(out + 2 * to_step, d);
          _mm_storeu_ps(out + 3 * to_step, e);
        }
      }
    }
#endif
    for (; c < columns; ++c) {
      for (std::int64_t i = r; i < r_end; ++i) to[c * to_step + i] = from[i * from_step + c];
    }
  }
}

}  // namespace stair::backends::openblas
