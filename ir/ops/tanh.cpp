#include "ir/ops/activation.h"

namespace stair::ir::ops {

void tanh(OpRegistry& registry) {
  add_activation(registry, {"tanh", "tanh(x)", "dy (1 - tanh(x)^2)"});
}

}  // namespace stair::ir::ops
