#include "ir/ops/normalization.h"

namespace stair::ir::ops {

void batch_statistics(OpRegistry& registry) {
  registry.add({.name = "batch_statistics",
                .summary = "mean and biased variance of each channel",
                .operands = {{"x", "[N,C] or [N,C,H,W]"}},
                .results = {{"mean", "[C]"}, {"var", "[C]"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_channels(c, 1);
                  return {channel_type(c), channel_type(c)};
                },
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit("batch_statistics_grad", {g.operand(0), g.result(0), g.gradient(0), g.gradient(1)})};
                }),
                .integer = no_integer_form("training only")});
  registry.add(of_backward({.name = "batch_statistics_grad",
                            .summary = "(dmean + 2 (x - mean) dvar) / n, n elements a channel",
                            .operands = {{"x", "its operand"},
                                         {"mean", "[C]"},
                                         {"dmean", "gradient by the mean", true},
                                         {"dvar", "gradient by the variance", true}},
                            .results = {{"dx", "of the shape of x"}},
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              expect_channels(c, 1);
                              return {c.operand(0)};
                            }}));
}

}  // namespace stair::ir::ops
