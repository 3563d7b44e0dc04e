#include "ir/ops/loss.h"

namespace stair::ir::ops {

void huber(OpRegistry& registry) {
  add_element_loss(registry, "huber",
                   "mean over all elements of d^2 / 2 where |d| <= delta, else delta * (|d| - delta / 2), d = x - target (Huber 1964)",
                   "d * dloss / count, d within -delta and delta",
                   {{"delta", "where the square ends and the straight line begins", 1.0, false, above(0)}});
}

}  // namespace stair::ir::ops
