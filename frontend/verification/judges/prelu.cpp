#include "frontend/verification/op_judge.h"

// e(x) + |slope| e(x) + u |y|, with a slope that is a state.

namespace stair::verification::judges {
namespace {

ir::ValueId bound_of_prelu(BoundedNode& n) {
  ir::ValueId bound = n.times(n.y_size(), float_unit);
  if (n.e() == ir::absent) return bound;
  const ir::ValueId by_slope = n.emit("negate", {n.again({n.emit("negate", {n.e()}), n.size(1)})});
  return n.sum(bound, n.sum(n.e(), by_slope));
}

}  // namespace

void prelu(OpJudgeRegistry& registry) {
  registry.add({.name = "prelu", .bound = bound_of_prelu});
}

}  // namespace stair::verification::judges
