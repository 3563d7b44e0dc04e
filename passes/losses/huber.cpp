#include "passes/loss.h"

namespace stair::passes::losses_ {

void huber(LossRegistry& registry) {
  registry.add({.name = "huber",
                .summary = "half the squared distance from the target up to delta, from there on a straight line (Huber 1964)",
                .attributes = standardizing({target_spec({"values", "input"}),
                                             {.name = "delta", .doc = "where the line begins", .fallback = 1.0, .bounds = ir::above(0)}}),
                .append = [](const LossContext& c) {
                  return c.emit("huber", c.expected, {{"delta", c.options.at("delta")}});
                }});
}

}  // namespace stair::passes::losses_
