#include "ir/ops/arithmetic.h"

namespace stair::ir::ops {

void mul(OpRegistry& registry) {
  add_binary(
      registry, "mul", "a b",
      [](GradientContext& g) -> std::vector<ValueId> {
        std::vector<ValueId> d(2, absent);
        if (g.needs(0)) d[0] = reduced(g, 0, g.emit("mul", {g.gradient(), g.operand(1)}));
        if (g.needs(1)) d[1] = reduced(g, 1, g.emit("mul", {g.gradient(), g.operand(0)}));
        return d;
      },
      binary_point(), true);
}

}  // namespace stair::ir::ops
