#pragma once

// Matrix products cut into blocks of the result, whose size depends on the shapes alone (N-REPEAT).

#include "backends/openblas/parallel.h"
#include "backends/openblas/sgemm.h"

namespace stair::backends::openblas {

struct Blocks {
  std::int64_t m, n, m_step, n_step, k_step;

  /// With `in_runs` a block is a sum of products along k, each of k_step.
  Blocks(std::int64_t rows, std::int64_t columns, std::int64_t k, bool in_runs = false)
      : m(rows), n(columns), m_step(balanced(rows, 128)), k_step(in_runs ? balanced(k, cached_sum) : k) {
    // Short sums: blocks that OpenBLAS multiplies without packing. Long ones: wide blocks, for packing to pay.
    const std::int64_t unpacked = unpacked_products / (m_step * std::max<std::int64_t>(k_step, 1));
    n_step = balanced(columns, unpacked >= 32 ? std::min<std::int64_t>(unpacked, 256) / 16 * 16 : (columns >= 512 ? 128 : 64));
    n_step = (n_step + 15) / 16 * 16;
  }
  std::int64_t count() const { return piece_count(m, m_step) * piece_count(n, n_step); }
  /// Calls body(first row, rows, first column, columns) for one block.
  template <class Body>
  void at(std::int64_t block, Body&& body) const {
    const std::int64_t across = piece_count(n, n_step);
    const std::int64_t row = block / across * m_step;
    const std::int64_t column = block % across * n_step;
    body(row, std::min(m_step, m - row), column, std::min(n_step, n - column));
  }
};

/// The part of a matrix that starts at that row and column of what it stands for.
inline Matrix part(Matrix matrix, std::int64_t row, std::int64_t column) {
  matrix.data += matrix.transposed ? column * matrix.stride + row : row * matrix.stride + column;
  return matrix;
}

}  // namespace stair::backends::openblas
