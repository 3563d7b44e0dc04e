#include "backends/openblas/direct/loops.h"

#if defined(__FMA__)
#include <immintrin.h>

namespace stair::backends::openblas::direct {
namespace {

using Vector = __m256;
constexpr int lanes = 8;
constexpr int block_channels = 4;
constexpr int gradient_sums = 12;
constexpr int panel_rows = 6;
constexpr int panel_vectors = 2;

inline Vector load(const float* p) {
  return _mm256_loadu_ps(p);
}
inline void store(float* p, Vector v) {
  _mm256_storeu_ps(p, v);
}
using Some = __m256i;
inline Some between(std::int64_t first, std::int64_t last) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_andnot_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(first)), lane),
                             _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(last)), lane));
}
inline Vector load_some(const float* p, Some some) {
  return _mm256_maskload_ps(p, some);
}
inline void store_some(float* p, Vector v, Some some) {
  _mm256_maskstore_ps(p, some, v);
}
inline Vector evens(Vector a, Vector b) {
  return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88)), 0xD8));
}
inline Vector odds(Vector a, Vector b) {
  return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xDD)), 0xD8));
}
inline Vector interleave_low(Vector a, Vector b) {
  return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x20);
}
inline Vector interleave_high(Vector a, Vector b) {
  return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x31);
}
inline void four_columns(const float* p, std::int64_t step, Vector (&to)[4]) {
  Vector row[4];  // a half is row 4h + i
  for (int i = 0; i < 4; ++i) {
    row[i] = _mm256_castps128_ps256(_mm_loadu_ps(p + i * step));
    row[i] = _mm256_insertf128_ps(row[i], _mm_loadu_ps(p + (4 + i) * step), 1);
  }
  const Vector low01 = _mm256_unpacklo_ps(row[0], row[1]);
  const Vector low23 = _mm256_unpacklo_ps(row[2], row[3]);
  const Vector high01 = _mm256_unpackhi_ps(row[0], row[1]);
  const Vector high23 = _mm256_unpackhi_ps(row[2], row[3]);
  to[0] = _mm256_shuffle_ps(low01, low23, 0x44);
  to[1] = _mm256_shuffle_ps(low01, low23, 0xEE);
  to[2] = _mm256_shuffle_ps(high01, high23, 0x44);
  to[3] = _mm256_shuffle_ps(high01, high23, 0xEE);
}
inline Vector splat(float x) {
  return _mm256_set1_ps(x);
}
inline Vector multiply_add(Vector a, Vector b, Vector c) {
  return _mm256_fmadd_ps(a, b, c);
}
inline Vector larger(Vector a, Vector b) {
  return _mm256_max_ps(a, b);
}
inline Vector smaller(Vector a, Vector b) {
  return _mm256_min_ps(a, b);
}

}  // namespace
}  // namespace stair::backends::openblas::direct

#include "backends/openblas/direct/loops.inc"

namespace stair::backends::openblas::direct {

const Loops* avx2_loops() {
  static constexpr Loops table{
      "avx2",    block_channels, lanes,        products,       products_of_one,   gradient,          copy_rows,
      transpose, store_channels, depthwise,    winograd_input, winograd_products, winograd_gradient, winograd_output,
      panel,     finish_row,     panel_vectors};
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
