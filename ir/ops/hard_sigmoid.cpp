#include "ir/ops/activation.h"

namespace stair::ir::ops {

void hard_sigmoid(OpRegistry& registry) {
  add_activation(registry, {"hard_sigmoid", "min(max(x + 3, 0), 6) / 6", "dy / 6 where -3 < x < 3, else 0"});
}

}  // namespace stair::ir::ops
