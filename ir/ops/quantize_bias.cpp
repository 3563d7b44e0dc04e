#include "ir/ops/common.h"

namespace stair::ir::ops {

void quantize_bias(OpRegistry& registry) {
  registry.add({.name = "quantize_bias",
                .summary = "N-BIAS: round(b / s), within ±2^30",
                .operands = {{"bias", "b, f32[C]"}, {"scale", "s = s_x * s_w, f32[1] or [C]"}},
                .results = {{"q", "i32[C]"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_operand(c, 0, c.operand(0).dtype == DType::f32 && c.shape(0).size() == 1, "f32[C]");
                  expect_per_channel(c, 1, 0, DType::f32);
                  return {{DType::i32, c.shape(0)}};
                },
                .gradient = no_gradient(simulated_instead),
                .integer = no_integer_form(on_parameters)});
}

}  // namespace stair::ir::ops
