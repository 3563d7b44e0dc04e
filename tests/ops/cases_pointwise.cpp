#include "tests/ops/case_lists.h"

namespace stair::tests {
namespace {

void add_activation(std::vector<Case>& list, const std::string& op, const std::vector<double>& kinks, const ir::Attributes& attributes = {},
                    double low = -8) {
  const Draw x = away_from(kinks, low, 8);
  list.push_back({op, {f32({3, 7}, x)}, attributes});
  list.push_back({op, {f32({2, 3, 5, 1}, x)}, attributes});
  list.push_back({op, {f32({}, uniform(0.5, 2.5))}, attributes});
  list.push_back({op, {f32({9, 2049}, x)}, attributes});
  list.push_back({op + "_grad", {f32({3, 7}), f32({3, 7}, x)}, attributes});
  list.push_back({op + "_grad", {f32({9, 2049}), f32({9, 2049}, x)}, attributes});
  std::vector<double> edges = kinks;
  edges.push_back(std::max(low, 0.0));
  list.push_back({op + "_grad", {f32({5}), f32({5}, listed(edges))}, attributes});
}

void add_binary(std::vector<Case>& list, const std::string& op, const Draw& b) {
  list.push_back({op, {f32({2, 3, 4, 5}), f32({2, 3, 4, 5}, b)}});
  list.push_back({op, {f32({2, 3, 4, 5}), f32({3, 1, 1}, b)}});
  list.push_back({op, {f32({3, 1, 1}), f32({2, 3, 4, 5}, b)}});
  list.push_back({op, {f32({7, 1}), f32({1, 5}, b)}});
  list.push_back({op, {f32({4, 3}), f32({1}, b)}});
  list.push_back({op, {f32({}), f32({3, 2}, b)}});
  list.push_back({op, {f32({5, 1, 3}), f32({5, 4, 1}, b)}});
  list.push_back({op, {f32({9, 2049}), f32({2049}, b)}});
}

void add_fake_quantize(std::vector<Case>& list, const char* op, const char* estimator) {
  const auto attributes = [&](std::int64_t lo, std::int64_t hi, std::int64_t axis) {
    return ir::Attributes{{"lo", lo}, {"hi", hi}, {"axis", axis}, {"estimator", text(estimator)}};
  };
  const Draw wide = uniform(-3, 3);
  list.push_back({op, {f32({3, 17}, wide), f32({1}, listed({0.015})), i32({1}, listed({128}))}, attributes(0, 255, 0)});
  list.push_back({op, {f32({3, 17}, wide), f32({3}, uniform(0.1, 0.3)), i32({1}, listed({0}))}, attributes(-7, 7, 0)});
  list.push_back({op, {f32({2, 5, 3, 3}, wide), f32({5}, uniform(0.01, 0.03)), i32({1}, listed({0}))}, attributes(-127, 127, 1)});
  list.push_back({op, {f32({2, 3}, wide), f32({3}, uniform(0.5, 1)), i32({1}, listed({1}))}, attributes(0, 3, -1)});
  list.push_back({op,
                  {f32({9}, listed({-2, -1.5, -0.5, 0, 0.5, 1, 1.5, 2, 3})), f32({1}, listed({0.5})), i32({1}, listed({0}))},
                  attributes(-3, 3, 0)});
  list.push_back({op, {f32({2, 8, 33, 33}, wide), f32({8}, uniform(0.01, 0.03)), i32({1}, listed({0}))}, attributes(-127, 127, 1)});
}

}  // namespace

void add_pointwise_cases(std::vector<Case>& list) {
  add_activation(list, "relu", {0});
  add_activation(list, "relu6", {0, 6});
  add_activation(list, "leaky_relu", {0}, {{"slope", 0.1}});
  add_activation(list, "sigmoid", {});
  add_activation(list, "tanh", {});
  add_activation(list, "hard_sigmoid", {-3, 3});
  add_activation(list, "hard_swish", {-3, 3});
  add_activation(list, "gelu", {});
  add_activation(list, "elu", {0}, {{"alpha", 0.7}});
  add_activation(list, "silu", {});
  add_activation(list, "mish", {});
  add_activation(list, "softplus", {});
  add_activation(list, "hard_tanh", {-1, 2}, {{"high", 2.0}});
  add_activation(list, "clip", {-1, 2.5}, {{"low", -1.0}, {"high", 2.5}});
  add_activation(list, "abs", {0});
  add_activation(list, "square", {});
  add_activation(list, "sqrt", {}, {}, 0.3);
  add_activation(list, "exp", {});
  add_activation(list, "log", {}, {}, 0.3);
  for (const ir::Shape& shape : {ir::Shape{3, 5}, ir::Shape{}, ir::Shape{9, 2049}}) list.push_back({"negate", {f32(shape)}});

  add_binary(list, "add", uniform());
  add_binary(list, "sub", uniform());
  add_binary(list, "mul", uniform());
  add_binary(list, "div", uniform(0.5, 2));
  for (const std::string op : {"minimum", "maximum"}) {
    // Each operand wins somewhere.
    const Draw either = listed({-2, 2});
    list.push_back({op, {f32({2, 3, 4, 5}), f32({2, 3, 4, 5})}});
    list.push_back({op, {f32({2, 3, 4, 5}), f32({3, 1, 1}, either)}});
    list.push_back({op, {f32({3, 1, 1}), f32({2, 3, 4, 5}, either)}});
    list.push_back({op, {f32({4, 3}, distinct()), f32({1}, listed({0.1}))}});
    list.push_back({op, {f32({}, listed({0.1})), f32({3, 2}, either)}});
    list.push_back({op, {f32({2, 4}, listed({-3, 3, 3, 3, -3, 3, -3, -3})), f32({4}, either), f32({2, 1}, listed({0.5}))}});
    list.push_back({op, {f32({9, 2049}), f32({2049})}});
    list.push_back({op, {u8({2, 3, 4, 5}), u8({3, 1, 1})}});
    list.push_back({op, {s8({5}), s8({5}), s8({4, 1})}});
    list.push_back({op, {f32({7})}});
    for (const std::int64_t operand : {0, 1}) {
      list.push_back({op + "_grad", {f32({2, 3}), f32({2, 3}), f32({3})}, {{"operand", operand}}});
      list.push_back({op + "_grad", {f32({3}), f32({3}, listed({1, 2, 2})), f32({3}, listed({1, 1, 3}))}, {{"operand", operand}}});
    }
  }
  for (const ir::Shape& x : {ir::Shape{3, 4}, ir::Shape{2, 3, 5, 4}, ir::Shape{5, 8, 33, 33}}) {
    for (const ir::Shape& slope : {ir::Shape{1}, ir::Shape{x[1]}}) {
      const Operand inputs = f32(x, away_from({0}, -2, 2));
      list.push_back({"prelu", {inputs, f32(slope)}});
      list.push_back({"prelu_grad", {f32(x), inputs, f32(slope)}});
    }
  }

  for (const char* estimator : {"plain", "clipped"}) {
    add_fake_quantize(list, "fake_quantize", estimator);
    add_fake_quantize(list, "fake_quantize_learned", estimator);
    const ir::Attributes attributes{{"estimator", text(estimator)}};
    list.push_back({"fake_binarize", {f32({4, 9}, uniform(-2, 2))}, attributes});
    list.push_back({"fake_binarize", {f32({7}, listed({-1, 1, 0, -1.5, 1.5, 0.25, -0.25}))}, attributes});
    list.push_back({"fake_binarize",
                    {f32({4, 33}, uniform(-2, 2)), i64({1}, listed({3}))},
                    {{"estimator", text(estimator)}, {"stochastic", true}, {"seed", integer(5)}, {"stream", integer(2)}}});
  }
  list.push_back({"clipped_gradient",
                  {f32({3, 17}), f32({3, 17}, uniform(-3, 3)), f32({3}, uniform(0.1, 0.3)), i32({1}, listed({0}))},
                  {{"lo", integer(-7)}, {"hi", integer(7)}}});
  list.push_back({"clipped_gradient",
                  {f32({2, 8, 33, 33}), f32({2, 8, 33, 33}, uniform(-3, 3)), f32({1}, listed({0.015})), i32({1}, listed({128}))},
                  {{"lo", integer(0)}, {"hi", integer(255)}, {"axis", integer(1)}}});
  for (const std::vector<double>& clamp : {std::vector<double>{}, {0.0}, {0.0, 6.0}}) {
    const ir::Attributes attributes{{"lo", integer(0)}, {"hi", integer(255)}, {"axis", integer(1)}, {"clamp", clamp}};
    for (const ir::Shape& shape : {ir::Shape{1, 1}, ir::Shape{3, 17}, ir::Shape{2, 8, 33, 33}}) {
      list.push_back({"range_mask", {f32(shape, uniform(-3, 9)), f32({1}, listed({0.033})), i32({1}, listed({57}))}, attributes});
    }
    list.push_back({"range_mask",
                    {f32({13}, listed({0, 255, 127.5, -0.0, 256, infinity, -infinity, nan, 6, 5.9999995, 1e-45, -1e-45, 255.00002})),
                     f32({1}, listed({1})), i32({1}, listed({0}))},
                    {{"lo", integer(0)}, {"hi", integer(255)}, {"clamp", clamp}}});
  }
  for (const double scale : {1e-45, 1e-38, 1e-3, 0.7, 3e30, 1e38}) {
    list.push_back({"range_mask",
                    {f32({4, 9}, extremes(-100 * scale, 127 * scale)), f32({1}, listed({scale})), i32({1}, listed({0}))},
                    {{"lo", integer(-100)}, {"hi", integer(127)}}});
  }
  list.push_back({"range_mask",
                  {f32({3, 17}, uniform(-3, 3)), f32({3}, uniform(0.1, 0.3)), i32({1}, listed({0}))},
                  {{"lo", integer(-7)}, {"hi", integer(7)}}});
  for (const ir::Shape& shape : {ir::Shape{5}, ir::Shape{8}, ir::Shape{2, 8, 33, 33}}) {
    list.push_back({"apply_mask", {f32(shape), u8({(ir::element_count(shape) + 7) / 8})}});
  }
  list.push_back({"fake_binarize_grad", {f32({7}), f32({7}, listed({-1, 1, 0, -1.5, 1.5, 0.25, -0.25}))}});

  for (const double rate : {0.0, 0.3, 0.9}) {
    list.push_back({"dropout",
                    {f32({5, 13}, uniform(0.5, 1)), i64({1}, listed({11}))},
                    {{"rate", rate}, {"seed", integer(7)}, {"stream", integer(1)}}});
    list.push_back({"dropout_grad", {f32({5, 13}), u8({5, 13}, integers(0, 1))}, {{"rate", rate}}});
  }
}

}  // namespace stair::tests
