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
                .infer =
                    [](const InferContext& c) {
                      for (const std::size_t multipliers : {4U, 5U}) expect_type(c, multipliers, {DType::i32, {1}});
                      return infer_point_binary(c, {2, 3, 6});
                    },
                .check_data =
                    [](const DataContext& c) {
                      check_zero_point(c, 2, 0);
                      check_zero_point(c, 3, 1);
                      check_multipliers(c, 4);
                      check_quantizer(c, 6, 7);
                    },
                .deployed = true,
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
}

}  // namespace stair::ir::ops
