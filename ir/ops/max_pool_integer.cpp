#include "ir/ops/convolution.h"

namespace stair::ir::ops {

void max_pool_integer(OpRegistry& registry) {
  registry.add(on_integers({.name = "max_pool_integer",
                            .summary = "N-MOVE: the largest integer in each window; max_pool where nobody asks for the position",
                            .operands = {{"x", "u8 or s8 [N,C,H,W], or in the layout"}},
                            .results = {{"y", "of the element type of x"}},
                            .attributes = pool_attributes("[height, width]", "padding never wins", {layout_attribute()}),
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              expect_quantized(c, 0);
                              return {{c.operand(0).dtype, infer_pool(c, c.shape(0))}};
                            }}));
}

}  // namespace stair::ir::ops
