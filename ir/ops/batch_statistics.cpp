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
  registry.add({.name = "batch_statistics_grad",
                .summary = "(dmean + 2 (x - mean) dvar) / n, n elements a channel",
                .operands = {{"x", "its operand"},
                             {"mean", "[C]"},
                             {"dmean", "gradient by the mean", true},
                             {"dvar", "gradient by the variance", true}},
                .results = {{"dx", "of the shape of x"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_channels(c, 1);
                  return {c.operand(0)};
                },
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only)});
  registry.add({.name = "exponential_moving_average",
                .summary = "(1 - momentum) * running + momentum * correction * sample",
                .operands = {{"running", "any floats"}, {"sample", "of the same shape"}},
                .results = {{"y", "the new running value"}},
                .attributes = {{"momentum", "share of the sample", 0.1},
                               {"correction", "factor on the sample: n / (n - 1) unbiases a variance", 1.0}},
                .infer =
                    [](const InferContext& c) {
                      c.expect(c.shape(0) == c.shape(1),
                               "running is " + to_string(c.shape(0)) + " and sample " + to_string(c.shape(1)) + ", expected one shape");
                      return same_as_first_float(c);
                    },
                .gradient = no_gradient("running statistics follow the data, not the loss"),
                .integer = no_integer_form("training only")});
  registry.add({.name = "standard_deviation",
                .summary = "sqrt(var + eps)",
                .operands = {{"var", "variances"}},
                .results = {{"y", "of the shape of var"}},
                .attributes = {{"eps", "added to the variance", 1e-5}},
                .infer = same_as_first_float,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  // d sqrt(v) = dy / (2 sqrt(v))
                  return {g.emit("div", {g.gradient(), g.emit("add", {g.result(), g.result()})})};
                }),
                .integer = no_integer_form("is known before deployment")});
}

}  // namespace stair::ir::ops
