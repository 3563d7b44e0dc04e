#include "ir/ops/arithmetic.h"

namespace stair::ir::ops {

void sub(OpRegistry& registry) {
  add_binary(
      registry, "sub", "a - b",
      [](GradientContext& g) -> std::vector<ValueId> {
        std::vector<ValueId> d(2, absent);
        if (g.needs(0)) d[0] = reduced(g, 0, g.gradient());
        if (g.needs(1)) d[1] = g.emit("negate", {reduced(g, 1, g.gradient())});
        return d;
      },
      point_sum("sub", true), true);
}

}  // namespace stair::ir::ops
