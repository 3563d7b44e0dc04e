#include "ir/ops/move.h"

namespace stair::ir::ops {
namespace {

std::vector<Type> infer_squeeze(const InferContext& c) {
  const Shape& x = c.shape(0);
  std::vector<bool> gone(x.size(), false);
  for (const std::int64_t axis : c.attributes.integers("axes")) {
    const std::size_t d = index_of(c, axis, x.size());
    c.expect(!gone[d], "axes are " + to_string(c.attributes.integers("axes")) + ", expected each once");
    c.expect(x[d] == 1, "dimension " + std::to_string(d) + " of x " + to_string(x) + " is " + std::to_string(x[d]) + ", expected 1");
    gone[d] = true;
  }
  Shape shape;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (!gone[d]) shape.push_back(x[d]);
  }
  return {{c.operand(0).dtype, shape}};
}

}  // namespace

void squeeze(OpRegistry& registry) {
  add_reshape(registry, "squeeze", "without dimensions of 1",
              {"axes", "those dimensions; negative ones count from the end", std::vector<std::int64_t>{}, true}, infer_squeeze);
}

}  // namespace stair::ir::ops
