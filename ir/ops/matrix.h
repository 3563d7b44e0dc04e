#pragma once

#include "ir/broadcast.h"
#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

inline std::vector<AttributeSpec> matmul_attributes(std::vector<AttributeSpec> more = {}) {
  more.insert(more.begin(), {{"transpose_a", "a is [..., K, M]", false}, {"transpose_b", "b is [..., N, K]", false}});
  return more;
}

/// Shape of a (batched) matrix product: the last two dimensions multiply, the others broadcast.
inline Shape infer_matmul(const InferContext& c) {
  const Shape& a = c.shape(0);
  const Shape& b = c.shape(1);
  const std::string both = "a " + to_string(a) + " and b " + to_string(b);
  c.expect(a.size() >= 2 && b.size() >= 2, both + ", expected matrices [..., M, K] and [..., K, N]");
  const bool ta = c.attributes.boolean("transpose_a");
  const bool tb = c.attributes.boolean("transpose_b");
  const std::int64_t m = a[a.size() - (ta ? 1 : 2)];
  const std::int64_t k = a[a.size() - (ta ? 2 : 1)];
  const std::int64_t n = b[b.size() - (tb ? 2 : 1)];
  c.expect(b[b.size() - (tb ? 1 : 2)] == k, both + " don't fit: the inner dimensions differ");
  const auto batch = broadcast(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  c.expect(batch.has_value(), both + " don't fit: the batch dimensions don't broadcast");
  Shape shape = *batch;
  shape.push_back(m);
  shape.push_back(n);
  return shape;
}

/// OpSchema::dimensions of matrix products.
inline Dimensions dimensions_of_matmul(const InferContext& c) {
  Dimensions all = each_element(c);
  const auto rank = static_cast<std::int64_t>(std::max(all[0].size(), all[1].size()));
  const auto matrix = [&](std::size_t operand, bool transposed, bool rows_stay) {
    std::vector<std::int64_t>& own = all[operand];
    const std::size_t rows = own.size() - (transposed ? 1 : 2);
    const std::size_t columns = own.size() - (transposed ? 2 : 1);
    own[rows] = rows_stay ? rank - 2 : absent;
    own[columns] = rows_stay ? absent : rank - 1;
  };
  matrix(0, c.attributes.boolean("transpose_a"), true);
  matrix(1, c.attributes.boolean("transpose_b"), false);
  return all;
}

/// IntegerForm::terms of matrix products: K.
inline std::int64_t summed_by_matmul(const Graph& graph, const Node& node) {
  const Shape& a = graph.type(node.operands[0]).shape;
  return a[a.size() - (node.attributes.boolean("transpose_a") ? 2 : 1)];
}

/// OpSchema::multiply_accumulates of matrix products.
inline std::int64_t products_of_matrices(const Graph& graph, const Node& node) {
  return element_count(graph.type(node.results.front()).shape) * summed_by_matmul(graph, node);
}

}  // namespace stair::ir::ops
