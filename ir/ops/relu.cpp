#include "ir/ops/activation.h"

namespace stair::ir::ops {

void relu(OpRegistry& registry) {
  add_activation(registry, {"relu", "max(x, 0)", "dy where x > 0, else 0", {}, OpSchema::Clamp{0.0, std::nullopt}});
}

}  // namespace stair::ir::ops
