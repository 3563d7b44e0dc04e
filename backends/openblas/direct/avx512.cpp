#include "backends/openblas/direct/loops.h"

#if defined(__AVX512F__)
#include <immintrin.h>

namespace stair::backends::openblas::direct {
namespace {

using Vector = __m512;
constexpr int lanes = 16;
constexpr int block_channels = 8;
constexpr int gradient_sums = 24;

inline Vector load(const float* p) {
  return _mm512_loadu_ps(p);
}
inline void store(float* p, Vector v) {
  _mm512_storeu_ps(p, v);
}
inline void store_first(float* p, Vector v, std::int64_t count) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1U << count) - 1U), v);
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
  static constexpr Loops table{"AVX-512", block_channels, lanes, products, products_of_one, gradient};
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
