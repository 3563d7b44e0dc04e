#include "ir/ops/common.h"

namespace stair::ir::ops {

void clipped_gradient(OpRegistry& registry) {
  registry.add(of_backward(
      {.name = "clipped_gradient",
       .summary = "N-STE: dy where lo <= z + round(x / s) <= hi, else 0: the gradient of a quantizer whose estimator is 'clipped'",
       .operands = {{"dy", "gradient by y"},
                    {"x", "what was quantized, of the type of dy"},
                    {"scale", "s > 0, [1] or [C] along axis"},
                    {"zero_point", "z, i32[1]"}},
       .results = {{"dx", "gradient by x"}},
       .attributes = range_attributes({{"axis", "channel axis of the scales", std::int64_t{0}}}),
       .infer = [](const InferContext& c) -> std::vector<Type> {
         quantized_dtype(c);
         expect_per_channel(c, 2, axis_of(c, c.shape(0).size()), c.operand(0).dtype);
         expect_zero_point(c, 3);
         return same_floats(c, 1);
       },
       .check_data = [](const DataContext& c) { check_quantizer(c, 3); },
       .in_place = {0}}));
}

}  // namespace stair::ir::ops
