#include "backends/int8/templates/lookup.h"

#include <immintrin.h>

namespace stair::backends::int8::avx512_vnni {
namespace {

// Two permutations of 128 entries each, and the index's highest bit chooses. VBMI is younger than VNNI; only this function has it.
__attribute__((target("avx512vbmi"))) void permute_lookup(const std::uint8_t* table, std::uint8_t flip, const std::uint8_t* q,
                                                          std::uint8_t* y, std::int64_t count) {
  const __m512i entries0 = _mm512_loadu_si512(table), entries1 = _mm512_loadu_si512(table + 64);
  const __m512i entries2 = _mm512_loadu_si512(table + 128), entries3 = _mm512_loadu_si512(table + 192);
  const __m512i flips = _mm512_set1_epi8(static_cast<char>(flip));
  for (std::int64_t i = 0; i < count; i += 64) {
    const __mmask64 some = count - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (count - i)) - 1;
    const __m512i index = _mm512_xor_si512(_mm512_maskz_loadu_epi8(some, q + i), flips);
    const __m512i low = _mm512_permutex2var_epi8(entries0, index, entries1);
    const __m512i high = _mm512_permutex2var_epi8(entries2, index, entries3);
    _mm512_mask_storeu_epi8(y + i, some, _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high));
  }
}

}  // namespace

void lookup(Kernels& kernels);
void lookup(Kernels& kernels) {
  kernels.lookup = __builtin_cpu_supports("avx512vbmi") ? permute_lookup : run_lookup;
}

}  // namespace stair::backends::int8::avx512_vnni
