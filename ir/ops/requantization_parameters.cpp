#include "ir/ops/common.h"

namespace stair::ir::ops {
namespace {

const char* const not_differentiated = "the simulated graph carries the gradients";

}  // namespace

void requantization_parameters(OpRegistry& registry) {
  registry.add({.name = "quantize_bias",
                .summary = "N-BIAS: round(b / s), within ±2^30",
                .operands = {{"bias", "b, f32[C]"}, {"scale", "s = s_x * s_w, f32[1] or [C]"}},
                .results = {{"q", "i32[C]"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_per_channel(c, 1, 0);
                  return {{DType::i32, c.shape(0)}};
                },
                .gradient = no_gradient(not_differentiated),
                .integer = no_integer_form(on_parameters)});
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
                .gradient = no_gradient(not_differentiated),
                .integer = no_integer_form(on_parameters)});
  registry.add({.name = "fixed_multiplier",
                .summary = "N-REQ-FIXED: m as mantissa * 2^(shift - 31), mantissa in [2^30, 2^31) (Jacob 2017, equation 6)",
                .operands = {{"multiplier", "m >= 0, f32[n]"}},
                .results = {{"mantissa", "i32[n]"}, {"shift", "i32[n]"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  return {{DType::i32, c.shape(0)}, {DType::i32, c.shape(0)}};
                },
                .gradient = no_gradient(not_differentiated),
                .integer = no_integer_form(on_parameters)});
  registry.add({.name = "average_multiplier",
                .summary = "N-AVG: s_x / (s_y * float(count))",
                .operands = {{"x_scale", "s_x, f32[1]"}, {"y_scale", "s_y, f32[1]"}},
                .results = {{"multiplier", "f32[1]"}},
                .attributes = {{"count", "elements averaged", std::int64_t{1}, true}},
                .infer = [](const InferContext&) -> std::vector<Type> {
                  return {{DType::f32, {1}}};
                },
                .gradient = no_gradient(not_differentiated),
                .integer = no_integer_form(on_parameters)});
  registry.add({.name = "clamp_range",
                .summary = "[lo', hi'] of a fused clamp: a bound quantizes to z + round(bound / s), within [lo, hi] (N-REQ-FLOAT)",
                .operands = {{"scale", "s_y, f32[1]"}, {"zero_point", "z_y, i32[1]"}},
                .results = {{"range", "i32[2]"}},
                .attributes = {{"lo", "least integer", std::int64_t{0}, true},
                               {"hi", "largest integer", std::int64_t{255}, true},
                               {"clamp", "[low] or [low, high], in real values", std::vector<double>{}, true}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  const std::size_t bounds = c.attributes.numbers("clamp").size();
                  c.expect(bounds == 1 || bounds == 2, std::to_string(bounds) + " bounds, expected [low] or [low, high]");
                  return {{DType::i32, {2}}};
                },
                .gradient = no_gradient(not_differentiated),
                .integer = no_integer_form(on_parameters)});
  registry.add(
      {.name = "add_fixed_multipliers",
       .summary =
           "multipliers of add_fixed: s_a / (2 max(s_a, s_b)), s_b / (2 max(s_a, s_b)), 2 max(s_a, s_b) / (2^20 s_y) (TFLite's reference "
           "addition)",
       .operands = {{"a_scale", "f32[1]"}, {"b_scale", "f32[1]"}, {"y_scale", "f32[1]"}},
       .results = {{"mantissa", "i32[3]"}, {"shift", "i32[3]"}},
       .infer = [](const InferContext&) -> std::vector<Type> {
         return {{DType::i32, {3}}, {DType::i32, {3}}};
       },
       .gradient = no_gradient(not_differentiated),
       .integer = no_integer_form(on_parameters)});
}

}  // namespace stair::ir::ops
