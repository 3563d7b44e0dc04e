#include "ir/ops/common.h"

namespace stair::ir::ops {

void lookup(OpRegistry& registry) {
  registry.add({.name = "lookup",
                .summary = "table[q], or table[q + 128] for signed q",
                .operands = {{"q", "u8 or s8"}, {"table", "256 entries, of tabulate"}},
                .results = {{"y", "of the shape of q and the table's element type"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_quantized(c, 0);
                  c.expect(c.shape(1) == Shape{256}, "table is " + to_string(c.shape(1)) + ", expected [256]");
                  return {{c.operand(1).dtype, c.shape(0)}};
                },
                .deployed = true,
                .gradient = no_gradient(integers_only),
                .integer = integer_op(),
                .in_place = {0}});
}

}  // namespace stair::ir::ops
