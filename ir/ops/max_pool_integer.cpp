#include "ir/ops/convolution.h"

namespace stair::ir::ops {

void max_pool_integer(OpRegistry& registry) {
  registry.add({.name = "max_pool_integer",
                .summary = "N-MOVE: the largest integer in each window; max_pool where nobody asks for the position",
                .operands = {{"x", "u8 or s8 [N,C,H,W], or in the layout"}},
                .results = {{"y", "of the element type of x"}},
                .attributes = {{"kernel", "[height, width]", std::vector<std::int64_t>{}, true},
                               {"stride", "[height, width]; empty: the kernel's", std::vector<std::int64_t>{}},
                               {"padding", "[top, left, bottom, right]; padding never wins", std::vector<std::int64_t>{0, 0, 0, 0}},
                               layout_attribute()},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_quantized(c, 0);
                  return {{c.operand(0).dtype, infer_pool(c)}};
                },
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
}

}  // namespace stair::ir::ops
