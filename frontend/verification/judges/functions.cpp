#include "frontend/verification/op_judge.h"

// Functions whose slope has no bound, with y = f(x), by what they do at the ends of [x - e(x), x + e(x)]:
//   square     (|x| + e(x))^2 - y + 4 u y
//   exp        f(x + e(x)) - y + 4 u y
//   sqrt, log  y - f(max(x - e(x), 0)) + 4 u |y|: infinite for a logarithm where x may be 0

namespace stair::verification::judges {
namespace {

using ir::ValueId;

ValueId with_roundings(BoundedNode& n, ValueId moved) {
  return n.sum(moved, n.times(n.y_size(), 4 * float_unit));
}

ValueId bound_of_growing(BoundedNode& n, ValueId x) {
  if (n.e() == ir::absent) return with_roundings(n, ir::absent);
  return with_roundings(n, n.emit("sub", {n.again({n.sum(x, n.e())}), n.y()}));
}

ValueId bound_of_falling_off(BoundedNode& n) {
  if (n.e() == ir::absent) return with_roundings(n, ir::absent);
  return with_roundings(n, n.emit("sub", {n.y(), n.again({n.emit("relu", {n.emit("sub", {n.x(), n.e()})})})}));
}

}  // namespace

void functions(OpJudgeRegistry& registry) {
  registry.add({.name = "square", .bound = [](BoundedNode& n) { return bound_of_growing(n, n.size()); }});
  registry.add({.name = "exp", .bound = [](BoundedNode& n) { return bound_of_growing(n, n.x()); }});
  for (const char* name : {"sqrt", "log"}) registry.add({.name = name, .bound = bound_of_falling_off});
}

}  // namespace stair::verification::judges
