#include "backends/processor.h"
#include "runtime/peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace stair::runtime::peak {

#if defined(__x86_64__)
namespace {

constexpr int chains = 24;

__attribute__((target("avx512f,avx512vnni"))) std::int64_t dot_products(std::int64_t times) {
  __m512i sums[chains] = {};
  const __m512i a = _mm512_set1_epi8(3);
  const __m512i b = _mm512_set1_epi8(5);
  for (std::int64_t i = 0; i < times; ++i) {
#pragma GCC unroll 24
    for (__m512i& sum : sums) sum = _mm512_dpbusd_epi32(sum, a, b);
#pragma GCC unroll 24
    for (__m512i& sum : sums) asm volatile("" : "+v"(sum));
  }
  return times * chains * 64;
}

}  // namespace
#endif

void avx512_vnni([[maybe_unused]] PeakRegistry& registry) {
#if defined(__x86_64__)
  registry.add({"avx512_vnni", "vpdpbusd", PeakLoop::Elements::int8, backends::processor::has_avx512_vnni, dot_products});
#endif
}

}  // namespace stair::runtime::peak
