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
                  c.expect(c.shape(3) == channels, "bias is " + to_string(c.shape(3)) + ", expected " + to_string(channels));
                  c.expect(c.shape(1).size() == 1 && (c.shape(1)[0] == 1 || c.shape(1) == channels),
                           "w_scale is " + to_string(c.shape(1)) + ", expected [1] or " + to_string(channels));
                  return {{DType::f32, channels}, {DType::s8, channels}, {DType::f32, channels}};
                },
                .gradient = no_gradient(simulated_instead),
                .integer = no_integer_form(on_parameters)});
}

}  // namespace stair::ir::ops
