#include "ir/ops/common.h"

namespace stair::ir::ops {

void fixed_parameters(OpRegistry& registry) {
  registry.add(
      {.name = "fixed_parameters",
       .summary = "scale and zero point as states hold them (N-PARAM): a scale that is no normal number gives way to 1, a zero "
                  "point beyond [lo, hi] to the nearer of the two",
       .operands = {{"scale", "f32[1]"}, {"zero_point", "i32[1]"}},
       .results = {{"scale", "f32[1], positive and finite"}, {.name = "zero_point", .doc = "i32[1], in [lo, hi]", .within = within_range}},
       .attributes = range_attributes({}),
       .infer = [](const InferContext& c) -> std::vector<Type> {
         expect_operand(c, 0, is_float(c.operand(0).dtype) && c.shape(0) == Shape{1}, "one float");
         expect_zero_point(c, 1);
         quantized_dtype(c);
         return {c.operand(0), {DType::i32, {1}}};
       },
       .gradient = no_gradient("nothing changes them"),
       .integer = no_integer_form(works_on_parameters)});
}

}  // namespace stair::ir::ops
