#include "ir/ops/move.h"

namespace stair::ir::ops {

void pad_integer(OpRegistry& registry) {
  registry.add({.name = "pad_integer",
                .summary = "N-MOVE: x surrounded by its zero point",
                .operands = {{"x", "u8 or s8"}, {"x_zero_point", "i32[1]"}},
                .results = {{"y", "of the element type of x"}},
                .attributes = {padding_attribute()},
                .infer =
                    [](const InferContext& c) {
                      expect_quantized(c, 0);
                      return infer_pad(c);
                    },
                .deployed = true,
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
}

}  // namespace stair::ir::ops
