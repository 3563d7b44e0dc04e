#pragma once

#include "backends/matrix_product.h"
#include "backends/parallel_for.h"

namespace stair::backends::reference {

/// y[m, n] = sum over k, in order, of (a[m, k] - za) * (b[k, n] - zb).
template <class A, class B, class Acc>
void multiply(const MatrixProduct& g, const A* a, Acc za, const B* b, Acc zb, Acc* y, int threads) {
  const std::int64_t rows = g.batches * g.m;
  parallel_for(rows, threads, [&](std::int64_t row, int) {
    const auto batch = static_cast<std::size_t>(row / g.m);
    const A* a_row = a + g.a_offset[batch] + row % g.m * g.a_row;
    const B* matrix = b + g.b_offset[batch];
    Acc* out = y + row * g.n;
    if (g.b_column != 1) {  // rows of b lie along k
      for (std::int64_t j = 0; j < g.n; ++j) {
        Acc sum = 0;
        for (std::int64_t i = 0; i < g.k; ++i) {
          sum += (static_cast<Acc>(a_row[i * g.a_column]) - za) * (static_cast<Acc>(matrix[i * g.b_row + j * g.b_column]) - zb);
        }
        out[j] = sum;
      }
      return;
    }
    for (std::int64_t j = 0; j < g.n; ++j) out[j] = 0;
    for (std::int64_t i = 0; i < g.k; ++i) {
      const Acc left = static_cast<Acc>(a_row[i * g.a_column]) - za;
      for (std::int64_t j = 0; j < g.n; ++j) out[j] += left * (static_cast<Acc>(matrix[i * g.b_row + j]) - zb);
    }
  });
}

}  // namespace stair::backends::reference
