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
      {.kind = IntegerForm::Kind::binary,
       .note = "N-POINT",
       .integer_op = "mul_fixed",
       .function = "mul",
       .multipliers =
           [](const RewriteContext& c, ValueId a_scale, ValueId b_scale, ValueId y_scale) {
             return c.emit_all("fixed_multiplier", {c.emit("div", {c.emit("mul", {a_scale, b_scale}, "step"), y_scale}, "multiplier")},
                               "mantissa");
           }},
      true);
}

}  // namespace stair::ir::ops
