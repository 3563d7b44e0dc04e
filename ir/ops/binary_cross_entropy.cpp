#include "ir/ops/loss.h"

namespace stair::ir::ops {

void binary_cross_entropy(OpRegistry& registry) {
  add_element_loss(registry, "binary_cross_entropy",
                   "mean over all elements of -target * log(sigmoid(x)) - (1 - target) * log(1 - sigmoid(x)), x being logits",
                   "(sigmoid(x) - target) * dloss / count");
}

}  // namespace stair::ir::ops
