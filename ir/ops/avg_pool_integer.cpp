#include "ir/ops/convolution.h"

namespace stair::ir::ops {

void avg_pool_integer(OpRegistry& registry) {
  registry.add({.name = "avg_pool_integer",
                .summary = "N-AVG: sum of q - z_x over the window, exact in int32; padding counts as z_x",
                .operands = {{"x", "u8 or s8 [N,C,H,W], or in the layout"}, {"x_zero_point", "i32[1]"}},
                .results = {{"acc", "i32 [N,C,OH,OW], or in the layout"}},
                .attributes = pool_attributes("[height, width]", "padding counts as x_zero_point", {layout_attribute()}),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_quantized(c, 0);
                  expect_zero_point(c, 1);
                  return {{DType::i32, infer_pool(c, c.shape(0))}};
                },
                .check_data = [](const DataContext& c) { check_zero_point(c, 1, 0); },
                .deployed = true,
                .gradient = no_gradient(integers_only),
                .integer = sums_integers({{0, 1}}, window_size),
                .channels_last = OpSchema::ChannelsLast{.attributes = in_nhwc}});
}

}  // namespace stair::ir::ops
