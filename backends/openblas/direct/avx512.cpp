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
constexpr __mmask16 all = 0xFFFF;  // the compiler warns of the register that some plain intrinsics leave undefined

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
inline Vector odds(Vector a, Vector b) {
  return _mm512_permutex2var_ps(a, _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31), b);
}
inline Vector interleave_low(Vector a, Vector b) {
  return _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), b);
}
inline Vector interleave_high(Vector a, Vector b) {
  return _mm512_permutex2var_ps(a, _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), b);
}
inline void four_columns(const float* p, std::int64_t step, Vector (&to)[4]) {
  Vector row[4];  // a quarter is row 4q + i
  for (int i = 0; i < 4; ++i) {
    const float* from = p + i * step;
    row[i] = _mm512_castps128_ps512(_mm_loadu_ps(from));
    row[i] = _mm512_insertf32x4(row[i], _mm_loadu_ps(from + 4 * step), 1);
    row[i] = _mm512_insertf32x4(row[i], _mm_loadu_ps(from + 8 * step), 2);
    row[i] = _mm512_insertf32x4(row[i], _mm_loadu_ps(from + 12 * step), 3);
  }
  const Vector low01 = _mm512_maskz_unpacklo_ps(all, row[0], row[1]);
  const Vector low23 = _mm512_maskz_unpacklo_ps(all, row[2], row[3]);
  const Vector high01 = _mm512_maskz_unpackhi_ps(all, row[0], row[1]);
  const Vector high23 = _mm512_maskz_unpackhi_ps(all, row[2], row[3]);
  to[0] = _mm512_shuffle_ps(low01, low23, 0x44);
  to[1] = _mm512_shuffle_ps(low01, low23, 0xEE);
  to[2] = _mm512_shuffle_ps(high01, high23, 0x44);
  to[3] = _mm512_shuffle_ps(high01, high23, 0xEE);
}
inline Vector splat(float x) {
  return _mm512_set1_ps(x);
}
inline Vector multiply_add(Vector a, Vector b, Vector c) {
  return _mm512_fmadd_ps(a, b, c);
}
inline Vector larger(Vector a, Vector b) {
  return _mm512_maskz_max_ps(all, a, b);
}
inline Vector smaller(Vector a, Vector b) {
  return _mm512_maskz_min_ps(all, a, b);
}

}  // namespace
}  // namespace stair::backends::openblas::direct

#include "backends/openblas/direct/loops.inc"

namespace stair::backends::openblas::direct {

const Loops* avx512_loops() {
  static constexpr Loops table{"avx512",          block_channels,  lanes,          products,   products_of_one, gradient,
                               copy_rows,         transpose,       store_channels, depthwise,  winograd_input,  winograd_products,
                               winograd_gradient, winograd_output, panel,          finish_row, panel_vectors};
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
