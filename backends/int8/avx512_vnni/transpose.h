#pragma once

// 16 vectors of 16 words transposed.

#include <immintrin.h>

#include <cstdint>

#include "backends/multiversion.h"

namespace stair::backends::int8 {
namespace {

/// rows[i][j] becomes rows[j][i].
STAIR_INLINE void transpose(__m512 (&rows)[16]) {
  __m512 pairs[16];
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
  }
  __m512 fours[16];  // lane l of fours[4 * k + j]: column 4 * l + j of rows 4 * k to 4 * k + 3
  for (int i = 0; i < 16; i += 4) {
    for (int half = 0; half < 2; ++half) {
      const __m512d a = _mm512_castps_pd(pairs[i + half]);
      const __m512d b = _mm512_castps_pd(pairs[i + 2 + half]);
      fours[i + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
      fours[i + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
    }
  }
  for (int j = 0; j < 4; ++j) {
    const __m512 a = _mm512_shuffle_f32x4(fours[j], fours[4 + j], 0x88);  // lanes 0 and 2 of both
    const __m512 b = _mm512_shuffle_f32x4(fours[j], fours[4 + j], 0xDD);  // lanes 1 and 3
    const __m512 c = _mm512_shuffle_f32x4(fours[8 + j], fours[12 + j], 0x88);
    const __m512 d = _mm512_shuffle_f32x4(fours[8 + j], fours[12 + j], 0xDD);
    rows[j] = _mm512_shuffle_f32x4(a, c, 0x88);
    rows[4 + j] = _mm512_shuffle_f32x4(b, d, 0x88);
    rows[8 + j] = _mm512_shuffle_f32x4(a, c, 0xDD);
    rows[12 + j] = _mm512_shuffle_f32x4(b, d, 0xDD);
  }
}

STAIR_INLINE __mmask16 first_lanes(std::int64_t count) {
  return count >= 16 ? static_cast<__mmask16>(0xFFFF) : static_cast<__mmask16>((1U << count) - 1U);
}

}  // namespace
}  // namespace stair::backends::int8
