#include "ir/broadcast.h"
#include "ir/ops/common.h"

namespace stair::ir::ops {
namespace {

const OperandSpec range_operand{"range", "i32[2], narrows [lo, hi]: a fused clamp", true};

std::vector<Type> infer(const InferContext& c) {
  expect_quantized(c, 0);
  expect_quantized(c, 1);
  const auto shape = broadcast(c.shape(0), c.shape(1));
  c.expect(shape.has_value(), "shapes " + to_string(c.shape(0)) + " and " + to_string(c.shape(1)) + " don't broadcast");
  return {{quantized_dtype(c), *shape}};
}

std::vector<AttributeSpec> attributes(AttributeSpec first) {
  std::vector<AttributeSpec> all{{"lo", "least integer", std::int64_t{0}, true}, {"hi", "largest integer", std::int64_t{255}, true}};
  if (!first.name.empty()) all.insert(all.begin(), std::move(first));
  return all;
}

}  // namespace

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
                             range_operand},
                .results = {{"y", "u8 where lo >= 0, else s8"}},
                .attributes = attributes({"function", "'add', 'sub' or 'mul'", std::string("add"), true}),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  const std::string& f = c.attributes.text("function");
                  c.expect(f == "add" || f == "sub" || f == "mul", "function is '" + f + "', expected 'add', 'sub' or 'mul'");
                  return infer(c);
                },
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
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
                    range_operand},
       .results = {{"y", "u8 where lo >= 0, else s8"}},
       .attributes = attributes({"subtract", "a - b", false}),
       .infer = infer,
       .gradient = no_gradient(integers_only),
       .integer = integer_op()});
  registry.add({.name = "mul_fixed",
                .summary = "a * b in integers: the product of the offsets times s_a * s_b / s_y (TFLite's reference multiplication)",
                .operands = {{"a", "u8 or s8"},
                             {"b", "u8 or s8"},
                             {"a_zero_point", "i32[1]"},
                             {"b_zero_point", "i32[1]"},
                             {"mantissa", "i32[1]"},
                             {"shift", "i32[1]"},
                             {"y_zero_point", "i32[1]"},
                             range_operand},
                .results = {{"y", "u8 where lo >= 0, else s8"}},
                .attributes = attributes({}),
                .infer = infer,
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
}

}  // namespace stair::ir::ops
