#include "ir/ops/move.h"

namespace stair::ir::ops {
namespace {

std::vector<Type> infer_flatten(const InferContext& c) {
  const Shape& x = c.shape(0);
  const std::int64_t axis = c.attributes.integer("axis");
  c.expect(axis >= 0 && axis <= static_cast<std::int64_t>(x.size()), "axis " + std::to_string(axis) + " of x " + to_string(x));
  Shape shape{1, 1};
  for (std::size_t i = 0; i < x.size(); ++i) shape[i < static_cast<std::size_t>(axis) ? 0 : 1] *= x[i];
  return {{c.operand(0).dtype, shape}};
}

}  // namespace

void flatten(OpRegistry& registry) {
  add_reshape(registry, "flatten", "a matrix: the dimensions before axis, and the others",
              {"axis", "first dimension of the columns", std::int64_t{1}}, infer_flatten);
}

}  // namespace stair::ir::ops
