#include "ir/ops/activation.h"

namespace stair::ir::ops {

void exp(OpRegistry& registry) {
  add_activation(registry, {"exp", "e to the x", "dy exp(x)"});
}

}  // namespace stair::ir::ops
