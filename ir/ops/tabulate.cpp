#include "ir/ops/common.h"
#include "ir/scalar_functions.h"

namespace stair::ir::ops {

void tabulate(OpRegistry& registry) {
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
                .gradient = no_gradient(simulated_instead),
                .integer = no_integer_form(on_parameters)});
}

}  // namespace stair::ir::ops
