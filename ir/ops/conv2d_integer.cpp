#include "ir/ops/convolution.h"

namespace stair::ir::ops {

void conv2d_integer(OpRegistry& registry) {
  registry.add(
      {.name = "conv2d_integer",
       .summary = "N-ACC: sum of (x - z_x) * w, exact in int32; padding counts as z_x",
       .operands = {{"x", "u8 or s8 [N,C,H,W], or in the layout"}, {"weight", "s8 [O,C/groups,KH,KW]"}, {"x_zero_point", "i32[1]"}},
       .results = {{"acc", "i32 [N,O,OH,OW], or in the layout"}},
       .attributes = convolution_attributes({layout_attribute()}),
       .infer = [](const InferContext& c) -> std::vector<Type> {
         expect_quantized(c, 0);
         expect_dtype(c, 1, DType::s8);
         expect_zero_point(c, 2);
         return {{DType::i32, infer_convolution(c, c.shape(0), c.shape(1))}};
       },
       .check_data = [](const DataContext& c) { check_zero_point(c, 2, 0); },
       .deployed = true,
       .gradient = no_gradient(integers_only),
       .integer = sums_integers({{0, 2}, {1}}, weights_of_channel),
       .channels_last = OpSchema::ChannelsLast{.attributes = in_nhwc, .preferred = true},
       .multiply_accumulates = products_with_weight});
}

}  // namespace stair::ir::ops
