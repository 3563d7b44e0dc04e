#include "ir/ops/move.h"

namespace stair::ir::ops {
namespace {

std::vector<Type> infer_unsqueeze(const InferContext& c) {
  const Shape& x = c.shape(0);
  const std::vector<std::int64_t>& axes = c.attributes.integers("axes");
  std::vector<bool> added(x.size() + axes.size(), false);
  for (const std::int64_t axis : axes) {
    const std::size_t d = index_of(c, axis, added.size());
    c.expect(!added[d], "axes are " + to_string(axes) + ", expected each once");
    added[d] = true;
  }
  Shape shape;
  std::size_t next = 0;
  for (const bool one : added) shape.push_back(one ? 1 : x[next++]);
  return {{c.operand(0).dtype, shape}};
}

}  // namespace

void unsqueeze(OpRegistry& registry) {
  add_reshape(registry, "unsqueeze", "with more dimensions of 1",
              {"axes", "those dimensions of the result; negative ones count from the end", std::vector<std::int64_t>{}, true},
              infer_unsqueeze);
}

}  // namespace stair::ir::ops
