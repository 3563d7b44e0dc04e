#include "ir/ops/activation.h"

namespace stair::ir::ops {

void softplus(OpRegistry& registry) {
  add_activation(registry, {"softplus", "log(1 + exp(x))", "dy sigmoid(x)"});
}

}  // namespace stair::ir::ops
