#include "ir/ops/softmax.h"

namespace stair::ir::ops {

void softmax(OpRegistry& registry) {
  const auto rows = [](const RewriteContext& c, const Simulated& x, const Simulated& y) {
    const std::vector<ValueId> made = c.emit_all("softmax_parameters", {x.scale, y.scale}, "parameters");
    return c.emit("softmax_integer", {x.q, made[0], made[1], made[2], y.zero_point}, "q",
                  {{"axis", c.node.attributes.at("axis")}, {"lo", y.lo}, {"hi", y.hi}});
  };
  add_softmax(registry, "softmax", "exp(x) / sum of exp(x) along axis", "y (dy - sum of dy y)", integer_rows("N-SOFTMAX", rows));
}

}  // namespace stair::ir::ops
