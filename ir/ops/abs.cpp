#include "ir/ops/activation.h"

namespace stair::ir::ops {

void abs(OpRegistry& registry) {
  add_activation(registry, {"abs", "|x|", "dy times the sign of x, 0 at 0"});
}

}  // namespace stair::ir::ops
