#include "ir/ops/point.h"

namespace stair::ir::ops {

void add_fixed(OpRegistry& registry) {
  registry.add(
      {.name = "add_fixed",
       .summary =
           "a + b (or a - b) in integers: both shifted left by 20, rescaled to twice the larger scale, added, rescaled (TFLite's reference "
           "addition; Jacob 2017, appendix A.2)",
       .operands = {{"a", "u8 or s8"},
                    {"b", "u8 or s8"},
                    {"a_zero_point", "i32[1]"},
                    {"b_zero_point", "i32[1]"},
                    {"mantissa", "i32[3], of add_fixed_multipliers"},
                    {"shift", "i32[3]"},
                    {"y_zero_point", "i32[1]"},
                    range_operand()},
       .results = {{"y", "u8 where lo >= 0, else s8"}},
       .attributes = point_binary_attributes({"subtract", "a - b", false}),
       .infer = infer_point_binary,
       .deployed = true,
       .gradient = no_gradient(integers_only),
       .integer = integer_op()});
}

}  // namespace stair::ir::ops
