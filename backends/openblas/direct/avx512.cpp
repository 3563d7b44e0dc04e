#include "backends/openblas/direct/loops.h"

#if defined(__AVX512F__)
#include <immintrin.h>

namespace stair::backends::openblas::direct {
namespace {

using Vector = __m512;
constexpr int lanes = 16;
constexpr int block_channels = 8;
constexpr int gradient_sums = 24;
constexpr int panel_rows = 6;
constexpr int panel_vectors = 4;

inline Vector load(const float* p) {
  return _mm512_loadu_ps(p);
}
inline void store(float* p, Vector v) {
  _mm512_storeu_ps(p, v);
}
using Some = __mmask16;
inline Some between(std::int64_t first, std::int64_t last) {
  return static_cast<Some>((1U << last) - (1U << first));
}
inline Vector load_some(const float* p, Some some) {
  return _mm512_maskz_loadu_ps(some, p);
}
inline void store_some(float* p, Vector v, Some some) {
  _mm512_mask_storeu_ps(p, some, v);
}
inline Vector evens(Vector a, Vector b) {
  return _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), b);
}
inline Vector splat(float x) {
  return _mm512_set1_ps(x);
}
inline Vector multiply_add(Vector a, Vector b, Vector c) {
  return _mm512_fmadd_ps(a, b, c);
}

}  // namespace
}  // namespace stair::backends::openblas::direct

#include "backends/openblas/direct/loops.inc"

namespace stair::backends::openblas::direct {

const Loops* avx512_loops() {
  static constexpr Loops table{"avx512", block_channels, lanes,     products, products_of_one,
                               gradient, copy_rows,      depthwise, panel,    panel_vectors};
  return &table;
}

}  // namespace stair::backends::openblas::direct
#else
namespace stair::backends::openblas::direct {
const Loops* avx512_loops() {
  return nullptr;
}
}  // namespace stair::backends::openblas::direct
#endif
