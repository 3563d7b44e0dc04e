#pragma once

// Floats as sums of bfloat16s, 16 at a time.

#include <immintrin.h>

#include <cstdint>

#include "backends/multiversion.h"

namespace stair::backends::int8 {
namespace {

/// 16 bfloat16s, each in the lower half of a lane.
struct Parts {
  __m512i part[3];
};

STAIR_INLINE __m512i bfloat_bits(__m512 v) {
  return _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)));
}

/// v = the sum of its parts: each has 8 of its 24 bits.
STAIR_INLINE Parts parts_of(__m512 v) {
  const __m512i first = bfloat_bits(v);
  const __m512 rest = _mm512_sub_ps(v, _mm512_castsi512_ps(_mm512_slli_epi32(first, 16)));
  const __m512i second = bfloat_bits(rest);
  const __m512i third = bfloat_bits(_mm512_sub_ps(rest, _mm512_castsi512_ps(_mm512_slli_epi32(second, 16))));
  return {{first, second, third}};
}

STAIR_INLINE __mmask16 first_lanes(std::int64_t count) {
  return count >= 16 ? static_cast<__mmask16>(0xFFFF) : static_cast<__mmask16>((1U << count) - 1U);
}

}  // namespace
}  // namespace stair::backends::int8
