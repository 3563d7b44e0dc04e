#include "ir/ops/move.h"

namespace stair::ir::ops {
namespace {

std::vector<Type> infer_reshape(const InferContext& c) {
  const Shape& x = c.shape(0);
  Shape shape = c.attributes.integers("shape");
  std::int64_t known = 1;
  std::size_t free = shape.size();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) {
      c.expect(i < x.size(), "dimension " + std::to_string(i) + " of the shape copies one that x " + to_string(x) + " hasn't");
      shape[i] = x[i];
    }
    if (shape[i] == -1) {
      c.expect(free == shape.size(), "shape " + to_string(c.attributes.integers("shape")) + " has more than one -1");
      free = i;
    } else {
      known *= shape[i];
    }
  }
  if (free < shape.size() && known > 0) shape[free] = element_count(x) / known;
  c.expect(element_count(shape) == element_count(x), "x " + to_string(x) + " has " + std::to_string(element_count(x)) +
                                                         " elements, the shape " + to_string(c.attributes.integers("shape")) +
                                                         " doesn't hold them");
  return {{c.operand(0).dtype, shape}};
}

}  // namespace

void reshape(OpRegistry& registry) {
  add_reshape(registry, "reshape", "the same elements in another shape",
              {"shape", "0 copies a dimension of x, one -1 takes what is left", std::vector<std::int64_t>{}, true}, infer_reshape);
}

}  // namespace stair::ir::ops
