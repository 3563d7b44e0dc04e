#pragma once

#include <vector>

#include "ir/broadcast.h"
#include "ir/graph.h"
#include "ir/type.h"

namespace stair::backends {

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

}  // namespace stair::backends
