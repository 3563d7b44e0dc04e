#include "frontend/verification/op_judge.h"

namespace stair::verification::judges {

void constant(OpJudgeRegistry& registry) {
  registry.add({.name = "constant", .bound = [](BoundedNode& n) { return n.times(n.y_size(), float_unit); }});
}

}  // namespace stair::verification::judges
