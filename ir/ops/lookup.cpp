#include "ir/ops/common.h"
#include "ir/scalar_functions.h"

namespace stair::ir::ops {

void lookup(OpRegistry& registry) {
  registry.add({.name = "tabulate",
                .summary = "N-POINT of one operand as a table: for each integer x, quantize(function(dequantize(x)))",
                .operands = {{"x_scale", "f32[1]"}, {"x_zero_point", "i32[1]"}, {"y_scale", "f32[1]"}, {"y_zero_point", "i32[1]"}},
                .results = {{"table", "256 entries, u8 where lo >= 0, else s8; entry i is of x = i, or of x = i - 128 for signed x"}},
                .attributes = {{"function", "a unary op, or 'identity'", std::string("identity"), true},
                               {"parameters", "of the function (leaky_relu's slope)", std::vector<double>{}},
                               {"x_lo", "least x; negative means that x is signed", std::int64_t{0}},
                               {"x_hi", "largest x", std::int64_t{255}},
                               {"lo", "least integer", std::int64_t{0}, true},
                               {"hi", "largest integer", std::int64_t{255}, true}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  for (std::size_t i = 0; i < 4; ++i) expect_single(c, i);
                  scalar_function(c.attributes.text("function"));
                  return {{quantized_dtype(c), {256}}};
                },
                .gradient = no_gradient("the simulated graph carries the gradients"),
                .integer = no_integer_form(on_parameters)});
  registry.add({.name = "lookup",
                .summary = "table[q], or table[q + 128] for signed q",
                .operands = {{"q", "u8 or s8"}, {"table", "256 entries, of tabulate"}},
                .results = {{"y", "of the shape of q and the table's element type"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_quantized(c, 0);
                  c.expect(c.shape(1) == Shape{256}, "table is " + to_string(c.shape(1)) + ", expected [256]");
                  return {{c.operand(1).dtype, c.shape(0)}};
                },
                .gradient = no_gradient(integers_only),
                .integer = integer_op(),
                .in_place = 0});
}

}  // namespace stair::ir::ops
