#include "ir/ops/point.h"

namespace stair::ir::ops {

void mul_fixed(OpRegistry& registry) {
  registry.add({.name = "mul_fixed",
                .summary = "a * b in integers: the product of the offsets times s_a * s_b / s_y (TFLite's reference multiplication)",
                .operands = {{"a", "u8 or s8"},
                             {"b", "u8 or s8"},
                             {"a_zero_point", "i32[1]"},
                             {"b_zero_point", "i32[1]"},
                             {"mantissa", "i32[1]"},
                             {"shift", "i32[1]"},
                             {"y_zero_point", "i32[1]"},
                             range_operand()},
                .results = {{"y", "u8 where lo >= 0, else s8"}},
                .attributes = point_binary_attributes({}),
                .infer = infer_point_binary,
                .deployed = true,
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
}

}  // namespace stair::ir::ops
