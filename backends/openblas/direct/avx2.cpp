#include "backends/openblas/direct/loops.h"

#if defined(__FMA__)
#include <immintrin.h>

namespace stair::backends::openblas::direct {
namespace {

using Vector = __m256;
constexpr int lanes = 8;
constexpr int block_channels = 4;
constexpr int gradient_sums = 12;

inline Vector load(const float* p) {
  return _mm256_loadu_ps(p);
}
inline void store(float* p, Vector v) {
  _mm256_storeu_ps(p, v);
}
inline void store_first(float* p, Vector v, std::int64_t count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  _mm256_maskstore_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane), v);
}
inline Vector splat(float x) {
  return _mm256_set1_ps(x);
}
inline Vector multiply_add(Vector a, Vector b, Vector c) {
  return _mm256_fmadd_ps(a, b, c);
}

}  // namespace
}  // namespace stair::backends::openblas::direct

#include "backends/openblas/direct/loops.inc"

namespace stair::backends::openblas::direct {

const Loops* avx2_loops() {
  static constexpr Loops table{"AVX2", block_channels, lanes, products, products_of_one, gradient};
  return &table;
}

}  // namespace stair::backends::openblas::direct
#else
namespace stair::backends::openblas::direct {
const Loops* avx2_loops() {
  return nullptr;
}
}  // namespace stair::backends::openblas::direct
#endif
