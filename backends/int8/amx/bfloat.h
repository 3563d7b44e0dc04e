#pragma once

// Floats as sums of bfloat16s, 16 at a time.

#include <immintrin.h>

#include <cstdint>

#include "backends/multiversion.h"

namespace stair::backends::int8 {
namespace {

/// 16 bfloat16s, each in the upper half of a lane.
struct Parts {
  __m512i part[3];
};

/// v = the sum of its parts: each has 8 of its 24 bits, cut off rather than rounded, so that no part is larger than v. The lower
/// half of the last one is not 0 where it is less than the least normal float.
STAIR_INLINE Parts parts_of(__m512 v) {
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xFFFF0000U));
  const __m512i first = _mm512_and_si512(_mm512_castps_si512(v), upper);
  const __m512 rest = _mm512_sub_ps(v, _mm512_castsi512_ps(first));
  const __m512i second = _mm512_and_si512(_mm512_castps_si512(rest), upper);
  const __m512 third = _mm512_sub_ps(rest, _mm512_castsi512_ps(second));
  return {{first, second, _mm512_castps_si512(third)}};
}

/// The bfloat16s of two vectors side by side, whatever the lower halves of their lanes.
STAIR_INLINE __m512i side_by_side(__m512i first, __m512i second) {
  constexpr int first_or_second_where_third = 0xF8;
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xFFFF0000U));
  return _mm512_ternarylogic_epi32(_mm512_srli_epi32(first, 16), second, upper, first_or_second_where_third);
}

}  // namespace
}  // namespace stair::backends::int8
