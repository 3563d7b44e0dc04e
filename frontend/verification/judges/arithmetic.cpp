#include "frontend/verification/op_judge.h"

// With u = float_unit:
//   a + b, a - b   e(a) + e(b) + u |y|
//   a * b          |a| e(b) + |b| e(a) + e(a) e(b) + u |y|
//   a / b          (e(a) + |y| e(b)) / (|b| - e(b)) + u |y|

namespace stair::verification::judges {
namespace {

ir::ValueId rounded(BoundedNode& n) {
  return n.times(n.y_size(), float_unit);
}

ir::ValueId bound_of_sum(BoundedNode& n) {
  return n.sum(n.sum(n.e(0), n.e(1)), rounded(n));
}

ir::ValueId bound_of_product(BoundedNode& n) {
  return n.sum(n.sum(n.product(n.size(0), n.e(1)), n.product(n.most(1), n.e(0))), rounded(n));
}

ir::ValueId bound_of_quotient(BoundedNode& n) {
  const ir::ValueId above = n.sum(n.e(0), n.product(n.y_size(), n.e(1)));
  if (above == ir::absent) return rounded(n);
  const ir::ValueId below = n.e(1) == ir::absent ? n.size(1) : n.emit("sub", {n.size(1), n.e(1)});
  return n.sum(n.quotient(above, below), rounded(n));
}

}  // namespace

void arithmetic(OpJudgeRegistry& registry) {
  registry.add({.name = "add", .bound = bound_of_sum});
  registry.add({.name = "sub", .bound = bound_of_sum});
  registry.add({.name = "mul", .bound = bound_of_product});
  registry.add({.name = "div", .bound = bound_of_quotient});
}

}  // namespace stair::verification::judges
