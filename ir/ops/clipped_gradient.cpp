#include "ir/ops/common.h"

namespace stair::ir::ops {

void clipped_gradient(OpRegistry& registry) {
  registry.add({.name = "clipped_gradient",
                .summary = "N-STE: dy where lo <= z + round(x / s) <= hi, else 0: the gradient of a quantizer whose estimator is 'clipped'",
                .operands = {{"dy", "gradient by y"},
                             {"x", "what was quantized, of the type of dy"},
                             {"scale", "s > 0, [1] or [C] along axis"},
                             {"zero_point", "z, i32[1]"}},
                .results = {{"dx", "gradient by x"}},
                .attributes = {{"lo", "least integer", std::int64_t{0}, true},
                               {"hi", "largest integer", std::int64_t{255}, true},
                               {"axis", "channel axis of the scales", std::int64_t{0}}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  quantized_dtype(c);
                  c.expect(c.operand(1) == c.operand(0),
                           "operand 'x' is " + to_string(c.operand(1)) + ", expected " + to_string(c.operand(0)));
                  expect_dtype(c, 2, c.operand(0).dtype);
                  expect_per_channel(c, 2, axis_of(c, c.shape(0).size()));
                  expect_dtype(c, 3, DType::i32);
                  expect_single(c, 3);
                  return same_as_first_float(c);
                },
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only),
                .in_place = {0}});
}

}  // namespace stair::ir::ops
