#include "ir/ops/activation.h"

namespace stair::ir::ops {

void silu(OpRegistry& registry) {
  add_activation(registry, {"silu", "x sigmoid(x), also called swish (Elfwing et al. 2017)", "dy s (1 + x (1 - s)) with s = sigmoid(x)"});
}

}  // namespace stair::ir::ops
