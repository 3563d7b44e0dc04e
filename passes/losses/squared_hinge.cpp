#include "passes/loss.h"

namespace stair::passes::losses_ {

void squared_hinge(LossRegistry& registry) {
  registry.add({.name = "squared_hinge",
                .summary = "squared hinge against ±1 (Courbariaux 2015, section 3), summed over the classes",
                .attributes = {},
                .append = [](const LossContext& c) { return c.emit("squared_hinge", c.expected); }});
}

}  // namespace stair::passes::losses_
