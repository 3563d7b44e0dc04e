#include "ir/ops/activation.h"

namespace stair::ir::ops {

void relu6(OpRegistry& registry) {
  add_activation(registry, {"relu6", "min(max(x, 0), 6)", "dy where 0 < x < 6, else 0", {}, OpSchema::Clamp{0.0, 6.0}});
}

}  // namespace stair::ir::ops
