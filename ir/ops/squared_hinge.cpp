#include "ir/ops/loss.h"

namespace stair::ir::ops {

void squared_hinge(OpRegistry& registry) {
  add_class_loss(registry, "squared_hinge", "mean over the batch of sum over c of max(0, 1 - t[c] x[c])^2, t = +1 for the label, else -1",
                 "-2 t[c] max(0, 1 - t[c] x[c]) * dloss / N");
}

}  // namespace stair::ir::ops
