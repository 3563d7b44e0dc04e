#include "ir/ops/common.h"

namespace stair::ir::ops {

void exponential_moving_average(OpRegistry& registry) {
  registry.add({.name = "exponential_moving_average",
                .summary = "(1 - momentum) * running + momentum * correction * sample",
                .operands = {{"running", "any floats"}, {"sample", "of the same shape"}},
                .results = {reduced(Reduction::mean, "y", "the new running value")},
                .attributes = {{"momentum", "share of the sample", 0.1},
                               {"correction", "factor on the sample: n / (n - 1) unbiases a variance", 1.0}},
                .infer = [](const InferContext& c) { return same_floats(c, 1); },
                .gradient = no_gradient("running statistics follow the data, not the loss"),
                .integer = no_integer_form("training only")});
}

}  // namespace stair::ir::ops
