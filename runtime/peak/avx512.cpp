#include "backends/processor.h"
#include "runtime/peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace stair::runtime::peak {

#if defined(__x86_64__)
namespace {

constexpr int chains = 24;

__attribute__((target("avx512f"))) std::int64_t fma(std::int64_t times) {
  __m512 sums[chains] = {};
  const __m512 a = _mm512_set1_ps(1.0F);
  const __m512 b = _mm512_set1_ps(0x1p-20F);
  for (std::int64_t i = 0; i < times; ++i) {
#pragma GCC unroll 24
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(a, b, sum);
#pragma GCC unroll 24
    for (__m512& sum : sums) asm volatile("" : "+v"(sum));
  }
  return times * chains * 16;
}

}  // namespace
#endif

void avx512([[maybe_unused]] PeakRegistry& registry) {
#if defined(__x86_64__)
  registry.add({"avx512", "vfmadd", PeakLoop::Elements::float32, backends::processor::has_avx512, fma});
#endif
}

}  // namespace stair::runtime::peak
