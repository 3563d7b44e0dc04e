#include "ir/ops/loss.h"

namespace stair::ir::ops {

void mean_absolute_error(OpRegistry& registry) {
  add_element_loss(registry, "mean_absolute_error", "mean over all elements of |x - target|",
                   "sign(x - target) * dloss / count, 0 where both are equal");
}

}  // namespace stair::ir::ops
