#include "ir/ops/activation.h"

namespace stair::ir::ops {

void mish(OpRegistry& registry) {
  add_activation(registry, {"mish", "x tanh(softplus(x)) (Misra 2019)", "dy (t + x sigmoid(x) (1 - t t)) with t = tanh(softplus(x))"});
}

}  // namespace stair::ir::ops
