#include "passes/loss.h"

namespace stair::passes::losses_ {
namespace {

ir::ValueId append_mean_squared_error(const LossContext& c) {
  const std::int64_t classes = c.graph.type(c.logits).shape[1];
  return c.emit("mean_squared_error", c.graph.emit("one_hot", {c.labels}, {{"classes", classes}}, c.graph.derived("", "target")));
}

}  // namespace

void mean_squared_error(LossRegistry& registry) {
  registry.add({.name = "mean_squared_error",
                .summary = "mean squared distance from the one-hot label",
                .attributes = {},
                .append = append_mean_squared_error});
}

}  // namespace stair::passes::losses_
