#include "ir/ops/activation.h"

namespace stair::ir::ops {

void sigmoid(OpRegistry& registry) {
  add_activation(registry, {"sigmoid", "1 / (1 + exp(-x))", "dy s (1 - s), s = sigmoid(x)"});
}

}  // namespace stair::ir::ops
