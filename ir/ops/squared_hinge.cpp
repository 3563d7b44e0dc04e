#include "ir/ops/loss.h"

namespace stair::ir::ops {

void squared_hinge(OpRegistry& registry) {
  add_loss(registry,
           {.name = "squared_hinge",
            .summary = "mean over the labels of sum over c of max(0, 1 - t[c] x[c])^2, t = +1 for the label, else -1",
            .operands = logits_and_labels(),
            .infer = infer_classes},
           "-2 t[c] max(0, 1 - t[c] x[c]) * dloss / labels", infer_classes_gradient);
}

}  // namespace stair::ir::ops
