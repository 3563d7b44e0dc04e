#include "backends/openblas/direct/loops.h"

namespace stair::backends::openblas::direct {
namespace {

// Four floats in a vector of the compiler's: SSE on x86-64, NEON on ARM.
typedef float Vector __attribute__((vector_size(16)));
#if defined(__SSE2__)
constexpr const char* name = "sse2";
#elif defined(__ARM_NEON)
constexpr const char* name = "neon";
#else
constexpr const char* name = "scalar";
#endif
constexpr int lanes = 4;
constexpr int block_channels = 4;
constexpr int gradient_sums = 8;
constexpr int panel_rows = 4;
constexpr int panel_vectors = 2;

inline Vector load(const float* p) {
  Vector v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, Vector v) {
  __builtin_memcpy(p, &v, sizeof v);
}
struct Some {
  std::int64_t first, last;
};
inline Some between(std::int64_t first, std::int64_t last) {
  return {first, last};
}
inline Vector load_some(const float* p, Some some) {
  Vector v = {};
  for (std::int64_t i = some.first; i < some.last; ++i) v[i] = p[i];
  return v;
}
inline void store_some(float* p, Vector v, Some some) {
  for (std::int64_t i = some.first; i < some.last; ++i) p[i] = v[i];
}
inline Vector evens(Vector a, Vector b) {
  return Vector{a[0], a[2], b[0], b[2]};
}
inline Vector odds(Vector a, Vector b) {
  return Vector{a[1], a[3], b[1], b[3]};
}
inline Vector interleave_low(Vector a, Vector b) {
  return Vector{a[0], b[0], a[1], b[1]};
}
inline Vector interleave_high(Vector a, Vector b) {
  return Vector{a[2], b[2], a[3], b[3]};
}
inline void four_columns(const float* p, std::int64_t step, Vector (&to)[4]) {
  const Vector a = load(p);
  const Vector b = load(p + step);
  const Vector c = load(p + 2 * step);
  const Vector d = load(p + 3 * step);
  const Vector low01 = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Vector low23 = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Vector high01 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Vector high23 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  to[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
  to[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
  to[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
  to[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}
inline Vector splat(float x) {
  return Vector{x, x, x, x};
}
inline Vector multiply_add(Vector a, Vector b, Vector c) {
  return a * b + c;
}
inline Vector larger(Vector a, Vector b) {
  return a > b ? a : b;
}
inline Vector smaller(Vector a, Vector b) {
  return a < b ? a : b;
}

}  // namespace
}  // namespace stair::backends::openblas::direct

#include "backends/openblas/direct/loops.inc"

namespace stair::backends::openblas::direct {

const Loops* baseline_loops() {
  static constexpr Loops table{
      name,      block_channels, lanes,        products,       products_of_one,   gradient,          copy_rows,
      transpose, store_channels, depthwise,    winograd_input, winograd_products, winograd_gradient, winograd_output,
      panel,     finish_row,     panel_vectors};
  return &table;
}

const Loops& loops() {
  static const Loops* const best = [] {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && avx512_loops() != nullptr) return avx512_loops();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && avx2_loops() != nullptr) return avx2_loops();
#endif
    return baseline_loops();
  }();
  return *best;
}

}  // namespace stair::backends::openblas::direct
