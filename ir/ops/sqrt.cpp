#include "ir/ops/activation.h"

namespace stair::ir::ops {

void sqrt(OpRegistry& registry) {
  add_activation(registry, {"sqrt", "the square root: NaN below 0", "dy / (2 sqrt(x)): infinite at 0"});
}

}  // namespace stair::ir::ops
