#include "ir/ops/common.h"

namespace stair::ir::ops {

void fit_channels(OpRegistry& registry) {
  registry.add(on_parameters(
      {.name = "fit_channels",
       .summary = "N-BIAS, N-BN-SCALE: the integer weights of each channel, their scale and the integer bias, fitted to each other, with "
                  "the factor of a batch-norm in the scale",
       .operands = {{"q", "s8 weights, output channels first"},
                    {"w_scale", "s_w, f32[1] or [C]"},
                    {"x_scale", "s_x, f32[1]"},
                    {"factor", "k = gamma / sqrt(var + eps) of a batch-norm, f32[C]", true},
                    {"bias", "b, f32[C]; absent: none, or one that stays a float", true}},
       .results = {{.name = "weight",
                    .doc = "round(sign(k) * q * 2^-e), s8 of the shape of q; 0 where the channel is a constant",
                    .fitted_from = 0},
                   {"scale", "s_w * |k| * 2^e, f32[C]"},
                   {"step", "of the accumulator: s_x * scale, f32[C]"},
                   {"bias", "round(b / step), i32[C]; 0 without b"},
                   {"plain_step",
                    "what one step is before batch-norm: sign(k) * (s_x * s_w) * 2^e, f32[C]; 0 where the channel is a "
                    "constant"}},
       .infer = [](const InferContext& c) -> std::vector<Type> {
         expect_dtype(c, 0, DType::s8);
         expect_per_channel(c, 1, 0, DType::f32);
         expect_type(c, 2, {DType::f32, {1}});
         const Shape channels{c.shape(0)[0]};
         expect_type(c, 3, {DType::f32, channels});
         expect_type(c, 4, {DType::f32, channels});
         return {c.operand(0), {DType::f32, channels}, {DType::f32, channels}, {DType::i32, channels}, {DType::f32, channels}};
       },
       .in_place = {0}},
      simulated_instead));
}

}  // namespace stair::ir::ops
