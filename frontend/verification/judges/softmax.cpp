#include "frontend/verification/op_judge.h"

// With n elements that are summed:
//   softmax       y (3 max e(x) + (n + 16) u): a logarithm's error is a factor's; e(x) at most 0.5
//   log-softmax   3 max e(x) + (n + 16) u (1 + |x| + |y|)

namespace stair::verification::judges {
namespace {

using ir::ValueId;

std::int64_t summed_axis(BoundedNode& n) {
  const std::int64_t axis = n.node().attributes.integer("axis");
  return axis < 0 ? axis + static_cast<std::int64_t>(n.source().type(n.node().operands[0]).shape.size()) : axis;
}

double roundings(BoundedNode& n) {
  const ir::Shape& shape = n.source().type(n.node().operands[0]).shape;
  return (static_cast<double>(shape[static_cast<std::size_t>(summed_axis(n))]) + 16) * float_unit;
}

ValueId worst(BoundedNode& n) {
  if (n.e() == ir::absent) return n.e();
  return n.times(n.emit("reduce_max", {n.e()}, {{"axes", std::vector<std::int64_t>{summed_axis(n)}}, {"keep", true}}), 3);
}

ValueId bound_of_softmax(BoundedNode& n) {
  return n.sum(n.product(n.y(), worst(n)), n.times(n.y(), roundings(n)));
}

ValueId bound_of_log_softmax(BoundedNode& n) {
  const ValueId one = n.emit("constant", {}, {{"value", roundings(n)}, {"dtype", std::string("f64")}});
  return n.sum(n.sum(n.times(n.sum(n.size(), n.y_size()), roundings(n)), one), worst(n));
}

}  // namespace

void softmax(OpJudgeRegistry& registry) {
  registry.add({.name = "softmax", .bound = bound_of_softmax});
  registry.add({.name = "log_softmax", .bound = bound_of_log_softmax});
}

}  // namespace stair::verification::judges
