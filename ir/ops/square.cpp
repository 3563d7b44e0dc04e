#include "ir/ops/activation.h"

namespace stair::ir::ops {

void square(OpRegistry& registry) {
  add_activation(registry, {"square", "x x", "2 x dy"});
}

}  // namespace stair::ir::ops
