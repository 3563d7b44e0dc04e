#include "ir/ops/common.h"

namespace stair::ir::ops {
void learning_rate(OpRegistry& registry) {
  registry.add({.name = "learning_rate",
                .summary = "of step t (from 0): constant: base; step: base gamma^floor(t / step_size); exponential: base gamma^(t / "
                           "step_size); cosine: final + "
                           "(base - final) (1 + cos(pi t / total)) / 2 (Loshchilov, Hutter 2017, equation 5); the first warmup_steps rise "
                           "linearly to base, and the "
                           "schedule starts after them",
                .operands = {{"step", "t, i64[1]"}},
                .results = {{"lr", "f32[1]"}},
                .attributes = {{"kind",
                                "'constant', 'step', 'cosine' or 'exponential'",
                                std::string("constant"),
                                false,
                                {},
                                {"constant", "step", "cosine", "exponential"}},
                               {"base", "the rate after warm-up", 0.01, true},
                               {"total_steps", "steps of the stage (cosine)", std::int64_t{1}, false, at_least(1)},
                               {"step_size", "steps between decays (step, exponential)", std::int64_t{1}, false, at_least(1)},
                               {"gamma", "decay (step, exponential)", 0.1, false, at_least(0)},
                               {"warmup_steps", "steps of linear rise", std::int64_t{0}, false, at_least(0)},
                               {"final", "rate at the end (cosine)", 0.0}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_type(c, 0, {DType::i64, {1}});
                  return {{DType::f32, {1}}};
                },
                .gradient = no_gradient("follows the step, not the loss"),
                .integer = no_integer_form("training only")});
}

}  // namespace stair::ir::ops
