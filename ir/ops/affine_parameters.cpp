#include "ir/ops/common.h"

namespace stair::ir::ops {

void affine_parameters(OpRegistry& registry) {
  registry.add(
      {.name = "affine_parameters",
       .summary =
           "scale and zero point of a range, widened to hold 0: s = (max - min) / (hi - lo), z = round(lo - min / s) (Jacob 2017, section "
           "3); symmetric: s = max(|min|, |max|) / hi, z = 0; power_of_two: s rounded up to 2^n; an empty range gives s = 1",
       .operands = {{"min", "f32[n]"}, {"max", "f32[n]"}},
       .results = {{"scale", "f32[n], positive and finite"},
                   {.name = "zero_point",
                    .doc = "i32[1], in [lo, hi]; several ranges share z = 0",
                    .within =
                        [](const Attributes& a) {
                          return a.boolean("symmetric") ? Limits{0, 0} : within_range(a);
                        }}},
       .attributes = range_attributes({{"symmetric", "zero point 0", false}, {"power_of_two", "N-REQ-POW2", false}}),
       .infer = [](const InferContext& c) -> std::vector<Type> {
         same_floats(c, 1);
         expect_operand(c, 0, c.shape(0).size() == 1, "a vector");
         c.expect(c.attributes.boolean("symmetric") || c.shape(0)[0] == 1,
                  "affine ranges per channel, expected symmetric ones (N-ACC has one zero point a tensor)");
         quantized_dtype(c);
         return {c.operand(0), {DType::i32, {1}}};
       },
       .gradient = no_gradient("ranges follow the data, not the loss"),
       .integer = no_integer_form(works_on_parameters)});
}

}  // namespace stair::ir::ops
