#include "passes/loss.h"

namespace stair::passes::losses_ {

void binary_cross_entropy(LossRegistry& registry) {
  registry.add({.name = "binary_cross_entropy",
                .summary = "cross-entropy of a sigmoid for each output, which are logits of what may be true together",
                .attributes = {target_spec({"values", "input"})},
                .append = [](const LossContext& c) { return c.emit("binary_cross_entropy", c.expected); },
                .targets = ir::within(0, 1)});
}

}  // namespace stair::passes::losses_
