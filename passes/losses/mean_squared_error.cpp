#include "ir/error.h"
#include "passes/loss.h"

namespace stair::passes::losses_ {
namespace {

ir::ValueId append_mean_squared_error(const LossContext& c) {
  if (c.target != Target::classes) return c.emit("mean_squared_error", c.expected);
  const ir::Type& type = c.graph.type(c.output);
  if (type.shape.size() != 2)
    throw Error("the output '" + c.graph.value(c.output).name + "' is " + to_string(type) + ", expected [N, classes] for one-hot labels");
  return c.emit("mean_squared_error", c.graph.emit("one_hot", {c.expected}, {{"classes", type.shape[1]}}, c.graph.derived("", "target")));
}

}  // namespace

void mean_squared_error(LossRegistry& registry) {
  registry.add({.name = "mean_squared_error",
                .summary = "mean squared distance from the target, of a class from its one-hot label",
                .attributes = standardizing({target_spec({"classes", "values", "input"})}),
                .append = append_mean_squared_error});
}

}  // namespace stair::passes::losses_
