#include "runtime/peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace stair::runtime::peak {

// What every x86-64 processor has.
#if defined(__x86_64__)
namespace {

constexpr int chains = 12;

std::int64_t multiply_add(std::int64_t times) {
  __m128 sums[chains] = {};
  __m128 a = _mm_set1_ps(1.0F);
  const __m128 b = _mm_set1_ps(0x1p-20F);
  for (std::int64_t i = 0; i < times; ++i) {
#pragma GCC unroll 24
    for (__m128& sum : sums) {
      asm volatile("" : "+x"(a));
      sum = _mm_add_ps(sum, _mm_mul_ps(a, b));
      asm volatile("" : "+x"(sum));
    }
  }
  return times * chains * 4;
}

std::int64_t pairs(std::int64_t times) {
  __m128i sums[chains] = {};
  __m128i a = _mm_set1_epi16(3);
  const __m128i b = _mm_set1_epi16(5);
  for (std::int64_t i = 0; i < times; ++i) {
#pragma GCC unroll 24
    for (__m128i& sum : sums) {
      asm volatile("" : "+x"(a));
      sum = _mm_add_epi32(sum, _mm_madd_epi16(a, b));
      asm volatile("" : "+x"(sum));
    }
  }
  return times * chains * 8;
}

}  // namespace
#endif

void sse2([[maybe_unused]] PeakRegistry& registry) {
#if defined(__x86_64__)
  registry.add({"sse2", "mulps and addps", PeakLoop::Elements::float32, [] { return true; }, multiply_add});
  registry.add({"sse2", "pmaddwd", PeakLoop::Elements::int8, [] { return true; }, pairs});
#endif
}

}  // namespace stair::runtime::peak
