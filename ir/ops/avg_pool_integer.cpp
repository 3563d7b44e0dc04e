#include "ir/ops/convolution.h"

namespace stair::ir::ops {

void avg_pool_integer(OpRegistry& registry) {
  registry.add({.name = "avg_pool_integer",
                .summary = "N-AVG: sum of q - z_x over the window, exact in int32; padding counts as z_x",
                .operands = {{"x", "u8 or s8 [N,C,H,W], or in the layout"}, {"x_zero_point", "i32[1]"}},
                .results = {{"acc", "i32 [N,C,OH,OW], or in the layout"}},
                .attributes = {{"kernel", "[height, width]", std::vector<std::int64_t>{}, true},
                               {"stride", "[height, width]; empty: the kernel's", std::vector<std::int64_t>{}},
                               {"padding", "[top, left, bottom, right]", std::vector<std::int64_t>{0, 0, 0, 0}},
                               layout_attribute()},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_quantized(c, 0);
                  return {{DType::i32, infer_pool(c)}};
                },
                .deployed = true,
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
}

}  // namespace stair::ir::ops
