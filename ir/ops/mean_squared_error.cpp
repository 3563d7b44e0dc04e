#include "ir/ops/loss.h"

namespace stair::ir::ops {

void mean_squared_error(OpRegistry& registry) {
  add_element_loss(registry, "mean_squared_error", "mean over all elements of (x - target)^2", "2 (x - target) * dloss / count");
}

}  // namespace stair::ir::ops
