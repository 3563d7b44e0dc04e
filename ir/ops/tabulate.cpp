#include "ir/ops/common.h"
#include "ir/scalar_functions.h"

namespace stair::ir::ops {

namespace {

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const ScalarFunction& function : scalar_functions()) names.emplace_back(function.name);
  return names;
}

}  // namespace

void tabulate(OpRegistry& registry) {
  registry.add(on_parameters(
      {.name = "tabulate",
       .summary = "N-POINT of one operand as a table: for each integer x, quantize(function(dequantize(x)))",
       .operands = {{"x_scale", "f32[1]"}, {"x_zero_point", "i32[1]"}, {"y_scale", "f32[1]"}, {"y_zero_point", "i32[1]"}},
       .results = {quantized_result("table",
                                    "256 entries, u8 where lo >= 0, else s8; entry i is of x = i, or of x = i - 128 for signed x")},
       .attributes = range_attributes({{"function", "a unary op, or 'identity'", std::string("identity"), true, {}, function_names()},
                                       {"parameters", "of the function (leaky_relu's slope)", std::vector<double>{}},
                                       {"x_lo", "least x; negative means that x is signed", std::int64_t{0}, false, within(-128, 127)},
                                       {"x_hi", "largest x", std::int64_t{255}, false, within(-128, 255)}}),
       .infer = [](const InferContext& c) -> std::vector<Type> {
         for (const std::size_t scale : {0U, 2U}) expect_type(c, scale, {DType::f32, {1}});
         for (const std::size_t zero_point : {1U, 3U}) expect_zero_point(c, zero_point);
         const std::int64_t x_lo = c.attributes.integer("x_lo");
         const std::int64_t x_hi = c.attributes.integer("x_hi");
         c.expect(x_lo < x_hi && x_hi - x_lo <= 255,
                  "x in [" + std::to_string(x_lo) + ", " + std::to_string(x_hi) + "], expected at most 256 integers in order");
         return {{quantized_dtype(c), {256}}};
       },
       .check_data =
           [](const DataContext& c) {
             const bool is_signed = c.attributes.integer("x_lo") < 0;
             c.expect_limits(1, is_signed ? -128 : 0, is_signed ? 127 : 255);
             check_quantizer(c, 3);
           }},
      simulated_instead));
}

}  // namespace stair::ir::ops
