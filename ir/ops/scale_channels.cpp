#include "ir/ops/common.h"

namespace stair::ir::ops {

void scale_channels(OpRegistry& registry) {
  registry.add({.name = "scale_channels",
                .summary = "q[c, ...] * sign[c]: integer weights of a channel with a negative batch-norm factor are negated, which the "
                           "narrow range makes exact "
                           "(N-BN-SCALE)",
                .operands = {{"q", "s8 weights, output channels first"}, {"sign", "s8[C] in {-1, 0, 1}"}},
                .results = {{"y", "s8"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_dtype(c, 0, DType::s8);
                  expect_per_channel(c, 1, 0, DType::s8);
                  return {c.operand(0)};
                },
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
}

}  // namespace stair::ir::ops
