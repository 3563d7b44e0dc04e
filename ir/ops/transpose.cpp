#include <algorithm>

#include "ir/ops/move.h"

namespace stair::ir::ops {
namespace {

std::vector<Type> infer_transpose(const InferContext& c) {
  const Shape& x = c.shape(0);
  const std::vector<std::int64_t>& p = c.attributes.integers("permutation");
  std::vector<std::int64_t> sorted = p;
  std::sort(sorted.begin(), sorted.end());
  bool permutes = sorted.size() == x.size();
  for (std::size_t i = 0; permutes && i < sorted.size(); ++i) permutes = sorted[i] == static_cast<std::int64_t>(i);
  c.expect(permutes, "permutation " + to_string(p) + " doesn't permute the dimensions of x " + to_string(x));
  Shape shape;
  for (const std::int64_t axis : p) shape.push_back(x[static_cast<std::size_t>(axis)]);
  return {{c.operand(0).dtype, shape}};
}

std::vector<ValueId> transpose_backward(GradientContext& g) {
  const std::vector<std::int64_t>& p = g.attributes().integers("permutation");
  std::vector<std::int64_t> inverse(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) inverse[static_cast<std::size_t>(p[i])] = static_cast<std::int64_t>(i);
  return {g.emit("transpose", {g.gradient()}, {{"permutation", inverse}})};
}

}  // namespace

void transpose(OpRegistry& registry) {
  add_move(registry, "transpose", "dimension i of the result is dimension permutation[i] of x",
           {{"permutation", "of the dimensions", std::vector<std::int64_t>{}, true}}, infer_transpose, transpose_backward,
           [](const InferContext& c) {
             Dimensions all = each_element(c);
             const std::vector<std::int64_t>& permutation = c.attributes.integers("permutation");
             for (std::size_t i = 0; i < permutation.size(); ++i) {
               all[0][static_cast<std::size_t>(permutation[i])] = static_cast<std::int64_t>(i);
             }
             return all;
           });
}

}  // namespace stair::ir::ops
