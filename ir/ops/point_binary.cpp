#include "ir/ops/point.h"

namespace stair::ir::ops {

void point_binary(OpRegistry& registry) {
  registry.add({.name = "point_binary",
                .summary = "N-POINT of two operands: quantize(function(dequantize(a), dequantize(b))), broadcasting",
                .operands = {{"a", "u8 or s8"},
                             {"b", "u8 or s8"},
                             {"a_scale", "f32[1]"},
                             {"a_zero_point", "i32[1]"},
                             {"b_scale", "f32[1]"},
                             {"b_zero_point", "i32[1]"},
                             {"y_scale", "f32[1]"},
                             {"y_zero_point", "i32[1]"},
                             range_operand()},
                .results = {{"y", "u8 where lo >= 0, else s8"}},
                .attributes = point_binary_attributes({"function", "'add', 'sub' or 'mul'", std::string("add"), true}),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  const std::string& f = c.attributes.text("function");
                  c.expect(f == "add" || f == "sub" || f == "mul", "function is '" + f + "', expected 'add', 'sub' or 'mul'");
                  return infer_point_binary(c);
                },
                .deployed = true,
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
}

}  // namespace stair::ir::ops
