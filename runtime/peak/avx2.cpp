#include "backends/processor.h"
#include "runtime/peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace stair::runtime::peak {

#if defined(__x86_64__)
namespace {

constexpr int chains = 12;

__attribute__((target("avx2,fma"))) std::int64_t fma(std::int64_t times) {
  __m256 sums[chains] = {};
  __m256 a = _mm256_set1_ps(1.0F);
  __m256 b = _mm256_set1_ps(0x1p-20F);
  for (std::int64_t i = 0; i < times; ++i) {
#pragma GCC unroll 24
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(a, b, sum);
#pragma GCC unroll 24
    for (__m256& sum : sums) asm volatile("" : "+x"(sum));
  }
  return times * chains * 8;
}

// Products of u8 and s8 in 16 bits, summed in pairs: exact, unlike vpmaddubsw.
__attribute__((target("avx2,fma"))) std::int64_t pairs(std::int64_t times) {
  __m256i sums[chains] = {};
  __m256i a = _mm256_set1_epi16(3);
  const __m256i b = _mm256_set1_epi16(5);
  for (std::int64_t i = 0; i < times; ++i) {
#pragma GCC unroll 24
    for (__m256i& sum : sums) {
      asm volatile("" : "+x"(a));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
      asm volatile("" : "+x"(sum));
    }
  }
  return times * chains * 16;
}

}  // namespace
#endif

void avx2([[maybe_unused]] PeakRegistry& registry) {
#if defined(__x86_64__)
  registry.add({"avx2", "vfmadd", PeakLoop::Elements::float32, backends::processor::has_avx2_fma, fma});
  registry.add({"avx2", "vpmaddwd", PeakLoop::Elements::int8, backends::processor::has_avx2_fma, pairs});
#endif
}

}  // namespace stair::runtime::peak
