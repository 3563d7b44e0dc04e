#include "ir/ops/common.h"

namespace stair::ir::ops {

void fold_batch_norm(OpRegistry& registry) {
  registry.add({.name = "fold_batch_norm",
                .summary = "N-BN-SCALE: scale = (s_x * s_w) * |k| and the sign of k; where k is 0 or |b| / scale passes 2^30 the channel "
                           "is the constant b: sign "
                           "0, scale |b| / 2^20",
                .operands = {{"x_scale", "s_x, f32[1]"},
                             {"w_scale", "s_w, f32[1] or [C]"},
                             {"factor", "k = gamma / sqrt(var + eps), f32[C]"},
                             {"bias", "b = beta - mean * k, f32[C]"}},
                .results = {{"scale", "of one step of the sum, f32[C]"},
                            {"sign", "what the integer weights are multiplied by, s8[C] in {-1, 0, 1}"},
                            {"step", "one step of the sum before batch-norm: sign * s_x * s_w, f32[C]"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  const Shape& channels = c.shape(2);
                  expect_operand(c, 2, c.operand(2).dtype == DType::f32 && channels.size() == 1, "f32[C]");
                  expect_type(c, 0, {DType::f32, {1}});
                  expect_type(c, 1, {DType::f32, {c.shape(1) == Shape{1} ? 1 : channels[0]}});
                  expect_type(c, 3, c.operand(2));
                  return {{DType::f32, channels}, {DType::s8, channels}, {DType::f32, channels}};
                },
                .gradient = no_gradient(simulated_instead),
                .integer = no_integer_form(on_parameters)});
}

}  // namespace stair::ir::ops
