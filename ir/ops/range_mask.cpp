#include "ir/ops/common.h"

namespace stair::ir::ops {

void range_mask(OpRegistry& registry) {
  registry.add(of_backward(
      {.name = "range_mask",
       .summary = "a bit for each x, where lo <= z + round(x / s) <= hi and x lies inside of the clamp: what the gradients of a "
                  "quantizer and of the activation before it ask of x",
       .operands = {{"x", "floats"}, {"scale", "s > 0, [1] or [C] along axis"}, {"zero_point", "z, i32[1]"}},
       .results = {{"mask", "u8, 8 elements a byte, the first in the lowest bit; the last byte is filled up with 0"}},
       .attributes =
           range_attributes({{"axis", "channel axis of the scales", std::int64_t{0}},
                             {"clamp", "[], [low] or [low, high]: the bit is set only where low < x < high", std::vector<double>{}}}),
       .infer = [](const InferContext& c) -> std::vector<Type> {
         same_as_first_float(c);
         quantized_dtype(c);
         expect_per_channel(c, 1, axis_of(c, c.shape(0).size()), c.operand(0).dtype);
         expect_zero_point(c, 2);
         expect_clamp(c, 0);
         return {{DType::u8, mask_shape(c.shape(0))}};
       },
       .check_data = [](const DataContext& c) { check_quantizer(c, 2); }}));
}

}  // namespace stair::ir::ops
