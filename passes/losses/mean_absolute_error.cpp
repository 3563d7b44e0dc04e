#include "passes/loss.h"

namespace stair::passes::losses_ {

void mean_absolute_error(LossRegistry& registry) {
  registry.add({.name = "mean_absolute_error",
                .summary = "mean distance from the target (L1)",
                .attributes = standardizing({target_spec({"values", "input"})}),
                .append = [](const LossContext& c) { return c.emit("mean_absolute_error", c.expected); }});
}

}  // namespace stair::passes::losses_
