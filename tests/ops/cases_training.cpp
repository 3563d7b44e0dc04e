#include <limits>
#include <string>
#include <utility>

#include "tests/ops/case_lists.h"

namespace stair::tests {
namespace {

void add_class_loss(std::vector<Case>& list, const char* name, const Operand& logits, const Operand& labels,
                    const ir::Attributes& attributes = {}) {
  list.push_back({name, {logits, labels}, attributes});
  list.push_back({std::string(name) + "_grad", {f32({}), logits, labels}, attributes});
}

// Of logits [n, classes] and, of positions, [n, classes, 2, 3].
void add_losses(std::vector<Case>& list, std::int64_t n, std::int64_t classes) {
  for (const ir::Shape& positions : {ir::Shape{}, ir::Shape{2, 3}}) {
    ir::Shape shape{n, classes};
    shape.insert(shape.end(), positions.begin(), positions.end());
    ir::Shape of_labels{n};
    of_labels.insert(of_labels.end(), positions.begin(), positions.end());
    const Operand logits = f32(shape, distinct(-3, 3));
    const Operand labels = i32(of_labels, integers(0, static_cast<double>(classes - 1)));
    for (const double smoothing : {0.0, 0.1, 0.9999999})
      add_class_loss(list, "cross_entropy", logits, labels, {{"label_smoothing", smoothing}});
    std::vector<double> weights;
    for (std::int64_t c = 0; c < classes; ++c) weights.push_back(0.5 * static_cast<double>(c + 1));
    add_class_loss(list, "cross_entropy", logits, labels, {{"label_smoothing", 0.1}, {"class_weights", weights}});
    add_class_loss(list, "squared_hinge", logits, labels);
    for (const auto& [temperature, share] : {std::pair{1.0, 1.0}, std::pair{3.0, 0.25}}) {
      const ir::Attributes softened{{"temperature", temperature}, {"share", share}};
      const Operand teacher = f32(shape, distinct(-3, 3));
      list.push_back({"distillation", {logits, labels, teacher}, softened});
      list.push_back({"distillation_grad", {f32({}), logits, labels, teacher}, softened});
    }
    list.push_back({"correct_count", {logits, labels}});
    for (const char* name : {"mean_squared_error", "mean_absolute_error", "huber", "binary_cross_entropy"}) {
      list.push_back({name, {f32(shape), f32(shape)}});
      list.push_back({std::string(name) + "_grad", {f32({}), f32(shape), f32(shape)}});
    }
  }
}

void add_weighted_sums(std::vector<Case>& list) {
  list.push_back({"weighted_sum", {f32({})}, {{"weights", std::vector<double>{0.25}}}});
  list.push_back({"weighted_sum", {f32({}), f32({}), f32({})}, {{"weights", std::vector<double>{1, 0.3, 1e3}}}});
}

void add_optimizers(std::vector<Case>& list, const ir::Shape& shape) {
  const Operand w = f32(shape);
  const Operand rate = f32({1}, listed({0.1}));
  const Operand square = f32(shape, uniform(0, 1));
  // A decay near 1, of which a subtraction in single precision would leave nothing.
  for (const double near_one : {0.9999999, 0.99999}) {
    const Operand zero = f32(shape, listed({0}));
    list.push_back({"adam", {w, w, rate, zero, zero, i64({1}, listed({0}))}, {{"beta1", near_one}, {"beta2", near_one}}});
  }
  for (const double decay : {0.0, 0.01}) {
    list.push_back({"sgd", {w, w, rate}, {{"weight_decay", decay}}});
    for (const bool flag : {false, true}) {
      list.push_back({"sgd_momentum", {w, w, rate, w}, {{"weight_decay", decay}, {"nesterov", flag}}});
      for (const double step : {0.0, 9.0}) {
        list.push_back({"adam", {w, w, rate, w, square, i64({1}, listed({step}))}, {{"weight_decay", decay}, {"decoupled", flag}}});
      }
    }
  }
}

}  // namespace

void add_training_cases(std::vector<Case>& list) {
  add_losses(list, 1, 2);
  add_losses(list, 5, 7);
  add_losses(list, 33, 10);
  add_weighted_sums(list);
  add_optimizers(list, {3, 5});
  add_optimizers(list, {9, 2049});
  list.push_back({"clip_norm_factor", {f32({3, 5}), f32({7})}, {{"max_norm", 0.5}}});
  list.push_back({"clip_norm_factor", {f32({3})}, {{"max_norm", 50.0}}});

  list.push_back({"observe_min_max", {f32({3, 7}), f32({1}, listed({infinity})), f32({1}, listed({-infinity}))}});
  list.push_back({"observe_min_max", {f32({3, 7}), f32({1}, listed({-0.5})), f32({1}, listed({4}))}});
  list.push_back({"observe_min_max", {f32({9, 2049}), f32({1}, listed({-0.5})), f32({1}, listed({0.5}))}});
  for (const double count : {-1.0, 0.0, 1.0, 3.0, 9.0, 10.0, 1e6}) {
    for (const ir::Shape& shape : {ir::Shape{3, 7}, ir::Shape{9, 2049}}) {
      const Operand seen = i64({1}, listed({count}));
      list.push_back(
          {"observe_average", {f32(shape), f32({1}, listed({infinity})), f32({1}, listed({-infinity})), seen}, {{"momentum", 0.1}}});
      list.push_back({"observe_average", {f32(shape), f32({1}, listed({-0.5})), f32({1}, listed({4})), seen}, {{"momentum", 0.1}}});
    }
  }
  for (const bool per_channel : {false, true}) {
    list.push_back({"weight_range", {f32({4, 3, 2, 2})}, {{"per_channel", per_channel}}});
    list.push_back({"weight_range", {f32({5, 9})}, {{"per_channel", per_channel}}});
    list.push_back({"first_step", {f32({4, 3, 2, 2})}, {{"hi", integer(3)}, {"per_channel", per_channel}}});
    list.push_back({"first_step", {f32({2, 3}, listed({0, 0, 0, 1, -2, 3}))}, {{"hi", integer(1)}, {"per_channel", per_channel}}});
    const Operand weights = f32({2, 5}, listed({1, -0.5, 0.1, -4, 0.4, 0, 0, 0, 0, 0}));
    for (const Operand& some : {f32({4, 3, 2, 2}), weights}) list.push_back({"ternarize", {some}, {{"per_channel", per_channel}}});
    for (const char* estimator : {"plain", "clipped"})
      list.push_back({"fake_ternarize", {weights}, {{"per_channel", per_channel}, {"estimator", text(estimator)}}});
  }
  list.push_back({"learned_scale", {f32({7}, listed({-3, -0.25, -1e-3, 1e-3, 0.3, 1, 80}))}});
  list.push_back({"learned_scale_grad", {f32({7}), f32({7}, listed({-3, -0.25, -1e-30, 0, 0.3, 1, 80}))}});
  list.push_back({"step_gradient",
                  {f32({3, 17}), f32({3, 17}, uniform(-3, 3)), f32({3}, uniform(0.1, 0.3)), i32({1}, listed({0}))},
                  {{"lo", integer(-7)}, {"hi", integer(7)}, {"factor", 0.25}}});
  list.push_back({"step_gradient",
                  {f32({2, 3, 4}), f32({2, 3, 4}, uniform(-3, 3)), f32({1}, listed({0.4})), i32({1}, listed({2}))},
                  {{"lo", integer(0)}, {"hi", integer(3)}, {"axis", integer(1)}}});
  list.push_back({"step_gradient",
                  {f32({5, 1031}), f32({5, 1031}, uniform(-3, 3)), f32({1}, listed({0.4})), i32({1}, listed({0}))},
                  {{"lo", integer(0)}, {"hi", integer(255)}, {"factor", 0.01}}});
  const Operand histogram = f32({4097}, uniform(0, 1));
  list.push_back({"observe_histogram", {f32({9, 33}, uniform(-5, 5)), histogram}});
  list.push_back({"percentile_range", {histogram}, {{"percentile", 99.0}}});
  list.push_back({"mse_range", {histogram}, {{"lo", integer(0)}, {"hi", integer(15)}}});
  list.push_back({"mse_range", {histogram}, {{"lo", integer(-7)}, {"hi", integer(7)}, {"symmetric", true}}});

  for (const double step : {0.0, 3.0, 1e6})
    list.push_back({"weight_average", {f32({3, 700}), f32({3, 700}), i64({1}, listed({step}))}, {{"decay", 0.99}}});
  list.push_back({"increment", {i64({1}, listed({41}))}});
  list.push_back({"increment", {i64({1}, listed({41})), i64({1}, listed({3}))}});
  for (const char* kind : {"constant", "step", "cosine", "exponential"}) {
    for (const double step : {0.0, 2.0, 3.0, 7.0, 40.0}) {
      list.push_back({"learning_rate",
                      {i64({1}, listed({step}))},
                      {{"kind", text(kind)},
                       {"base", 0.2},
                       {"total_steps", integer(20)},
                       {"step_size", integer(4)},
                       {"gamma", 0.5},
                       {"warmup_steps", integer(3)},
                       {"final", 0.01}}});
    }
  }
}

}  // namespace stair::tests
