#pragma once

#include <cstdint>

namespace stair::backends::openblas {

/// A row-major matrix, or its transpose.
struct Matrix {
  const float* data;
  std::int64_t stride;  ///< from row to row as it lies in memory
  bool transposed = false;
};

/// c[m, n] = a[m, k] b[k, n] + beta c, on the calling thread alone (N-REPEAT): every product by OpenBLAS goes through here.
void sgemm(std::int64_t m, std::int64_t n, std::int64_t k, Matrix a, Matrix b, float beta, float* c, std::int64_t c_stride);

/// OpenBLAS multiplies matrices of up to so many products without packing them first, which is faster while the operands lie in the cache.
inline constexpr std::int64_t unpacked_products = 1000000;
/// It walks over 64 columns of the right operand at a time; sums of up to so many products leave them in the first-level cache.
inline constexpr std::int64_t cached_sum = 98;

}  // namespace stair::backends::openblas
