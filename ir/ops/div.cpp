#include "ir/ops/arithmetic.h"

namespace stair::ir::ops {

void div(OpRegistry& registry) {
  add_binary(
      registry, "div", "a / b",
      [](GradientContext& g) -> std::vector<ValueId> {
        std::vector<ValueId> d(2, absent);
        const ValueId by_a = g.emit("div", {g.gradient(), g.operand(1)});
        if (g.needs(0)) d[0] = reduced(g, 0, by_a);
        if (g.needs(1)) d[1] = g.emit("negate", {reduced(g, 1, g.emit("mul", {by_a, g.result()}))});
        return d;
      },
      no_integer_form("a quotient of integers needs more bits than its operands: runs on dequantized floats"), true);
}

}  // namespace stair::ir::ops
