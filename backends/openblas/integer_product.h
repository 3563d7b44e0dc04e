#pragma once

#include "backends/openblas/exact.h"
#include "backends/openblas/product.h"

namespace stair::backends::openblas {

/// acc[m, n] of a block = a[m, k] b[k, n] for matrices of integers in float, in runs along k that stay exact (N-F32GEMM). `sums` holds m *
/// n.
inline void multiply_exactly(std::int64_t m, std::int64_t n, std::int64_t k, Matrix a, Matrix b, std::int64_t exact, float* sums,
                             std::int32_t* acc, std::int64_t acc_stride) {
  for (std::int64_t first = 0; first < k; first += exact) {
    sgemm(m, n, std::min(exact, k - first), part(a, 0, first), part(b, first, 0), 0.0F, sums, n);
    for (std::int64_t row = 0; row < m; ++row) store_integers(sums + row * n, first > 0, acc + row * acc_stride, n);
  }
}

}  // namespace stair::backends::openblas
