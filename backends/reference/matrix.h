#pragma once

#include <vector>

#include "ir/broadcast.h"
#include "ir/graph.h"
#include "ir/type.h"

namespace stair::backends::reference {

/// The geometry of a (batched) matrix product; strides in elements.
struct MatrixProduct {
  std::int64_t batches = 1, m = 0, n = 0, k = 0;
  std::int64_t a_row = 0, a_column = 0, b_row = 0, b_column = 0;
  std::vector<std::int64_t> a_offset, b_offset;  ///< by batch

  MatrixProduct(const ir::Attributes& attributes, const ir::Shape& a, const ir::Shape& b, const ir::Shape& y) {
    const bool ta = attributes.boolean("transpose_a");
    const bool tb = attributes.boolean("transpose_b");
    m = y[y.size() - 2];
    n = y.back();
    k = a[a.size() - (ta ? 2 : 1)];
    a_row = ta ? 1 : k;
    a_column = ta ? m : 1;
    b_row = tb ? 1 : n;
    b_column = tb ? k : 1;
    const ir::Shape batch(y.begin(), y.end() - 2);
    batches = ir::element_count(batch);
    ir::for_each_broadcast(ir::Shape(a.begin(), a.end() - 2), ir::Shape(b.begin(), b.end() - 2), batch,
                           [&](std::int64_t ia, std::int64_t ib, std::int64_t) {
                             a_offset.push_back(ia * m * k);
                             b_offset.push_back(ib * k * n);
                           });
  }
};

/// y[m, n] = sum over k, in order, of (a[m, k] - za) * (b[k, n] - zb).
template <class A, class B, class Acc>
void multiply(const MatrixProduct& g, const A* a, Acc za, const B* b, Acc zb, Acc* y, int threads) {
  const std::int64_t rows = g.batches * g.m;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::int64_t row = 0; row < rows; ++row) {
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
      continue;
    }
    for (std::int64_t j = 0; j < g.n; ++j) out[j] = 0;
    for (std::int64_t i = 0; i < g.k; ++i) {
      const Acc left = static_cast<Acc>(a_row[i * g.a_column]) - za;
      for (std::int64_t j = 0; j < g.n; ++j) out[j] += left * (static_cast<Acc>(matrix[i * g.b_row + j]) - zb);
    }
  }
}

}  // namespace stair::backends::reference
