#include <limits>
#include <utility>

#include "ir/scalar_functions.h"
#include "tests/ops/case_lists.h"

namespace stair::tests {
namespace {

constexpr double int_max = 2147483647.0;

void add_quantizers(std::vector<Case>& list) {
  const Draw wide = uniform(-3, 3);
  list.push_back({"quantize", {f32({3, 17}, wide), f32({1}, listed({0.015})), i32({1}, listed({128}))}, range(0, 255)});
  list.push_back({"quantize", {f32({3, 17}, wide), f32({3}, uniform(0.1, 0.3)), i32({1}, listed({0}))}, range(-7, 7)});
  list.push_back({"quantize", {f32({2, 5, 3, 3}, wide), f32({5}, uniform(0.01, 0.03)), i32({1}, listed({0}))}, range(-127, 127, 1)});
  list.push_back({"quantize", {f32({2, 8, 33, 33}, wide), f32({8}, uniform(0.01, 0.03)), i32({1}, listed({0}))}, range(-128, 127, 1)});
  list.push_back({"quantize",  // ties and what is no number
                  {f32({11}, listed({-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1e30, -1e30, infinity, -infinity, nan})), f32({1}, listed({1})),
                   i32({1}, listed({3}))},
                  range(0, 255)});
  for (const std::int64_t axis : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}}) {
    const std::int64_t channels = axis == 0 ? 4 : (axis == 1 ? 3 : 5);
    list.push_back({"dequantize", {u8({4, 3, 5}), f32({channels}, uniform(0.01, 1)), i32({1}, listed({77}))}, {{"axis", axis}}});
  }
  list.push_back({"dequantize", {s8({2, 8, 33, 33}), f32({1}, listed({0.03})), i32({1}, listed({0}))}, {}});
  list.push_back({"binarize", {f32({4, 9})}});
  list.push_back({"binarize", {f32({3}, listed({0, -0.0, -1e-30}))}});
  list.push_back({"binarize",
                  {f32({4, 33}, uniform(-1.5, 1.5)), i64({1}, listed({6}))},
                  {{"stochastic", true}, {"seed", integer(3)}, {"stream", integer(8)}}});
}

// Sums of either sign, large and small, through both ways to rescale them.
void add_rescaling(std::vector<Case>& list, const ir::Shape& shape, bool per_channel) {
  const std::int64_t c = per_channel ? shape[1] : 1;
  const Operand bias = i32({shape[1]}, integers(-3000, 3000));
  const Operand float_bias = f32({shape[1]}, uniform(-20, 20));
  const Operand m = f32({c}, uniform(0.0005, 0.02));
  const Operand mantissa = i32({c}, integers(1073741824.0, int_max));
  const Operand shift = i32({c}, integers(-9, -5));
  const Operand narrow = i32({2}, listed({10, 99}));
  const Operand zero = i32({1}, listed({10}));
  for (const double size : {20000.0, 1e9}) {
    const Operand acc = i32(shape, integers(-size, size));
    for (const ir::Attributes& attributes : {range(0, 255), range(-127, 127)}) {
      list.push_back({"requantize", {acc, m, zero}, attributes});
      list.push_back({"requantize", {acc, m, zero, bias}, attributes});
      list.push_back({"requantize", {acc, m, zero, float_bias}, attributes});
      list.push_back({"requantize", {acc, m, zero, bias, narrow}, attributes});
      list.push_back({"requantize", {acc, m, zero, std::nullopt, narrow}, attributes});
      list.push_back({"requantize_fixed", {acc, mantissa, shift, zero}, attributes});
      list.push_back({"requantize_fixed", {acc, mantissa, shift, zero, bias}, attributes});
      list.push_back({"requantize_fixed", {acc, mantissa, shift, zero, float_bias}, attributes});
      list.push_back({"requantize_fixed", {acc, mantissa, shift, zero, bias, narrow}, attributes});
      list.push_back({"requantize_fixed", {acc, mantissa, i32({c}, integers(-3, 12)), zero}, attributes});
    }
    const Operand scale = f32({c}, uniform(0.0005, 0.02));
    list.push_back({"dequantize_accumulator", {acc, scale}});
    list.push_back({"dequantize_accumulator", {acc, scale, bias}});
    list.push_back({"dequantize_accumulator", {acc, scale, float_bias}});
  }
}

void add_pairs(std::vector<Case>& list, const ir::Shape& a, const ir::Shape& b) {
  const Operand za = i32({1}, listed({100}));
  const Operand zb = i32({1}, listed({-4}));
  const Operand zy = i32({1}, listed({7}));
  const Operand narrow = i32({2}, listed({7, 60}));
  for (const char* function : {"add", "sub", "mul"}) {
    const ir::Attributes attributes{{"function", text(function)}, {"lo", integer(0)}, {"hi", integer(255)}};
    const Operand sa = f32({1}, listed({0.02}));
    const Operand sb = f32({1}, listed({0.05}));
    const Operand sy = f32({1}, listed({0.04}));
    list.push_back({"point_binary", {u8(a), s8(b), sa, za, sb, zb, sy, zy}, attributes});
    list.push_back({"point_binary", {s8(a), u8(b), sa, zb, sb, za, sy, zy, narrow}, attributes});
  }
  const Operand mantissa = i32({3}, integers(1073741824.0, int_max));
  const Operand shift = i32({3}, listed({-1, 0, -18}));
  for (const bool subtract : {false, true}) {
    const ir::Attributes attributes{{"subtract", subtract}, {"lo", integer(-127)}, {"hi", integer(127)}};
    list.push_back({"add_fixed", {u8(a), s8(b), za, zb, mantissa, shift, zy}, attributes});
    list.push_back({"add_fixed", {u8(a), u8(b), za, za, mantissa, shift, zy, narrow}, attributes});
  }
  const Operand one_mantissa = i32({1}, integers(1073741824.0, int_max));
  const Operand one_shift = i32({1}, listed({-6}));
  list.push_back({"mul_fixed", {u8(a), s8(b), za, zb, one_mantissa, one_shift, zy}, range(0, 255)});
  list.push_back({"mul_fixed", {s8(a), s8(b), zb, zb, one_mantissa, one_shift, zy, narrow}, range(-127, 127)});
}

void add_parameters(std::vector<Case>& list) {
  for (const bool power : {false, true}) {
    for (const auto& [low, high] : {std::pair{-1.0, 2.0}, {0.5, 3.0}, {-2.0, -0.25}, {0.0, 0.0}}) {
      list.push_back({"affine_parameters",
                      {f32({1}, listed({low})), f32({1}, listed({high}))},
                      {{"lo", integer(0)}, {"hi", integer(255)}, {"power_of_two", power}}});
    }
    list.push_back({"affine_parameters",
                    {f32({5}, uniform(-2, -0.1)), f32({5}, uniform(0.1, 2))},
                    {{"lo", integer(-127)}, {"hi", integer(127)}, {"symmetric", true}, {"power_of_two", power}}});
  }
  list.push_back({"fixed_parameters", {f32({1}, listed({0.031})), i32({1}, listed({77}))}, range(0, 255)});
  list.push_back({"fixed_parameters", {f32({1}, listed({0})), i32({1}, listed({300}))}, range(0, 255)});
  // Factors of either sign and 0; biases far below and far above a step, so that integers stay, shrink, or vanish.
  const Operand narrow = s8({6, 5, 3, 3}, integers(-127, 127));
  const Operand w_scales = f32({6}, uniform(0.0001, 0.1));
  const Operand x_scale = f32({1}, listed({0.02}));
  const Operand factors = f32({6}, listed({0.7, -1.3, 0, 1e-30, -1e-42, 250}));
  const Operand biases = f32({6}, listed({0.4, -0.3, 2, -1e5, 0, 3e6}));
  list.push_back({"fit_channels", {narrow, w_scales, x_scale, factors, biases}});
  list.push_back({"fit_channels", {narrow, w_scales, x_scale, factors}});
  list.push_back({"fit_channels", {narrow, w_scales, x_scale, std::nullopt, biases}});
  list.push_back({"fit_channels", {narrow, f32({1}, listed({0.004})), x_scale, std::nullopt, biases}});
  list.push_back({"fit_channels",
                  {s8({8, 40}, integers(-7, 7)), f32({1}, listed({1e-12})), f32({1}, listed({1})), std::nullopt,
                   f32({8}, listed({0.001, 0.002, -0.003, 0.004, 0.006, 0.01, -0.02, 1e30}))}});
  list.push_back(
      {"fit_channels",
       {s8({4, 7}, listed({0})), f32({4}, listed({1})), f32({1}, listed({1e-38})), std::nullopt, f32({4}, listed({0, 1e-38, 1, -3e38}))}});
  list.push_back({"fixed_multiplier", {f32({9}, uniform(0, 2))}});
  list.push_back({"fixed_multiplier", {f32({6}, listed({0, 1, 0.5, 3, 1e-30, 1e30}))}});
  list.push_back({"average_multiplier", {f32({1}, listed({0.03})), f32({1}, listed({0.05}))}, {{"count", integer(49)}}});
  for (const double s_x : {0.02, 3e-39, 1e30}) {
    for (const double s_y : {1.0 / 255, 0.1, 5.0, 1e-30}) {
      const Operand x = f32({1}, listed({s_x}));
      const Operand y = f32({1}, listed({s_y}));
      list.push_back({"softmax_parameters", {x, y}});
      const ir::Attributes attributes{{"eps", 1e-5}, {"count", integer(s_x < 1 ? 48 : 8388608)}};
      list.push_back({"norm_parameters", {f32({2, 5}), f32({2, 5}, uniform(-3, 3)), x, y}, attributes});
      list.push_back({"norm_parameters", {f32({3}, listed({0})), f32({3}, listed({0, 1e-30, 1e30})), x, y}, attributes});
    }
  }
  list.push_back({"clamp_range",
                  {f32({1}, listed({0.02})), i32({1}, listed({12}))},
                  {{"lo", integer(0)}, {"hi", integer(255)}, {"clamp", std::vector<double>{0}}}});
  list.push_back({"clamp_range",
                  {f32({1}, listed({0.05})), i32({1}, listed({12}))},
                  {{"lo", integer(0)}, {"hi", integer(255)}, {"clamp", std::vector<double>{0, 6}}}});
  list.push_back({"add_fixed_multipliers", {f32({1}, listed({0.02})), f32({1}, listed({0.05})), f32({1}, listed({0.04}))}});
  for (const ir::ScalarFunction& scalar : ir::scalar_functions()) {
    for (const double least : {0.0, -128.0}) {
      list.push_back(
          {"tabulate",
           {f32({1}, listed({0.05})), i32({1}, listed({least == 0 ? 128.0 : 0.0})), f32({1}, listed({0.03})), i32({1}, listed({20}))},
           {{"function", std::string(scalar.name)},
            {"parameters", std::vector<double>{0.1, 1.5}},
            {"x_lo", static_cast<std::int64_t>(least)},
            {"x_hi", static_cast<std::int64_t>(least) + 255},
            {"lo", integer(0)},
            {"hi", integer(255)}}});
    }
  }
}

}  // namespace

void add_requantization_cases(std::vector<Case>& list) {
  add_quantizers(list);
  for (const bool per_channel : {false, true}) {
    add_rescaling(list, {3, 5}, per_channel);
    add_rescaling(list, {2, 3, 5, 7}, per_channel);
  }
  add_rescaling(list, {2, 8, 33, 33}, true);
  add_pairs(list, {2, 3, 4, 5}, {2, 3, 4, 5});
  add_pairs(list, {2, 3, 4, 5}, {3, 1, 1});
  add_pairs(list, {1, 5}, {7, 1});
  add_parameters(list);
}

}  // namespace stair::tests
