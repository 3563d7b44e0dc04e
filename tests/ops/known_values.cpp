// Worked examples of the float ops that have no definition in definitions.cpp: what kernels and gradient rules could get wrong together.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/ops/case_lists.h"
#include "tests/ops/interpreter.h"

namespace stair::tests {
namespace {

Operand matrix(std::int64_t rows, const Values& values) {
  return f32({rows, static_cast<std::int64_t>(values.size()) / rows}, listed(values));
}

void check(const Values& found, const Values& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-6));
  }
}

}  // namespace

TEST_CASE("activations have their known values") {
  const auto of = [](const char* op, const Values& x, const ir::Attributes& attributes = {}) {
    return run_reference({op, {reals(x)}, attributes})[0];
  };
  check(of("relu", {-2, 0, 3}), {0, 0, 3});
  check(of("relu6", {-2, 3, 7}), {0, 3, 6});
  check(of("leaky_relu", {-2, 3}, {{"slope", 0.1}}), {-0.2, 3});
  check(of("sigmoid", {0, 1, -100}), {0.5, 0.7310585786300049, 0});
  check(of("tanh", {0, 1, -1}), {0, 0.7615941559557649, -0.7615941559557649});
  check(of("hard_sigmoid", {-4, 1, 4}), {0, 2.0 / 3, 1});
  check(of("hard_swish", {-4, 1, 4}), {0, 2.0 / 3, 4});
  check(of("gelu", {0, 1, -0.5}), {0, 0.8413447460685429, -0.1542687693629934});
  check(of("elu", {-1, 3}, {{"alpha", 0.5}}), {-0.31606027941427883, 3});
  check(of("silu", {0, 1, -1, -200}), {0, 0.7310585786300049, -0.2689414213699951, 0});
  check(of("softplus", {0, 1, -1, 200}), {0.6931471805599453, 1.3132616875182228, 0.31326168751822286, 200});
  check(of("mish", {0, 1, -1}), {0, 0.8650983882673103, -0.3034014613598479});
  check(of("hard_tanh", {-2, 0.5, 2}), {-1, 0.5, 1});
  check(of("clip", {-2, 0.5, 2}, {{"low", 0.25}, {"high", 1.5}}), {0.25, 0.5, 1.5});
  check(of("negate", {-2, 3}), {2, -3});
  check(of("abs", {-2, 3}), {2, 3});
  check(of("square", {-2, 3}), {4, 9});
  check(of("sqrt", {0, 2}), {0, 1.4142135623730951});
  check(of("exp", {0, 1, -1}), {1, 2.718281828459045, 0.36787944117144233});
  check(of("log", {1, 2}), {0, 0.6931471805599453});
}

TEST_CASE("a table holds the least integer where its function is no number or minus infinity, the largest where it is infinite") {
  const auto table = [](const char* function, double x_scale) {
    const Values all = run_reference(
        {"tabulate",
         {f32({1}, listed({x_scale})), i32({1}, listed({128})), f32({1}, listed({0.5})), i32({1}, listed({20}))},
         {{"function", text(function)}, {"x_lo", integer(0)}, {"x_hi", integer(255)}, {"lo", integer(0)}, {"hi", integer(255)}}})[0];
    return Values{all[0], all[127], all[128], all[129], all[255]};
  };
  CHECK(table("log", 1) == Values{0, 0, 0, 20, 30});
  CHECK(table("sqrt", 1) == Values{0, 0, 20, 22, 43});
  CHECK(table("exp", 1) == Values{20, 21, 22, 25, 255});
}

TEST_CASE("embedding reads rows, and argmax finds the first of the largest") {
  const Operand table = matrix(3, {1, 2, 3, 4, 5, 6});
  CHECK(run_reference({"embedding", {table, i32({2, 2}, listed({2, 0, -1, 3}))}})[0] == Values{5, 6, 1, 2, 1, 2, 5, 6});
  CHECK(run_reference(
            {"embedding_grad", {f32({3, 2}, listed({1, 2, 3, 4, 5, 6})), i32({3}, listed({1, 0, 1}))}, {{"rows", integer(3)}}})[0] ==
        Values{3, 4, 6, 8, 0, 0});
  CHECK(run_reference({"argmax", {matrix(2, {1, 3, 3, -1, -2, -1})}})[0] == Values{1, 0});
  CHECK(run_reference({"argmax", {matrix(2, {1, 3, 3, -1, -2, 5})}, {{"axis", integer(0)}}})[0] == Values{0, 0, 1});
  CHECK(run_reference({"concat", {f32({2, 1}, listed({1, 2})), matrix(1, {8, 9})}})[0] == Values{1, 8, 9, 2, 8, 9});
}

TEST_CASE("softmax normalizes along its axis and losses average over the batch") {
  check(run_reference({"softmax", {matrix(1, {0, 1})}})[0], {0.2689414213699951, 0.7310585786300049});
  check(run_reference({"log_softmax", {matrix(2, {0, 1})}, {{"axis", integer(0)}}})[0], {-1.3132616875182228, -0.3132616875182228});
  const Operand logits = matrix(2, {0, 1, 0, 1});
  const Operand labels = i32({2}, listed({0, 1}));
  check(run_reference({"cross_entropy", {logits, labels}})[0], {0.8132616875182228});
  check(run_reference({"cross_entropy", {matrix(1, {0, 1}), i32({1}, listed({0}))}, {{"label_smoothing", 0.1}}})[0], {1.2632616875182228});
  check(run_reference({"squared_hinge", {matrix(2, {0.5, -2, 0.5, 3}), labels}})[0], {(0.25 + 2.25) / 2});
  check(run_reference({"mean_squared_error", {reals({1, 2}), reals({0, 4})}})[0], {2.5});
  check(run_reference({"mean_absolute_error", {reals({1, 2}), reals({0, 4})}})[0], {1.5});
  check(run_reference({"huber", {reals({1, 2}), reals({0.5, 5})}, {{"delta", 1.0}}})[0], {(0.125 + 2.5) / 2});
  check(run_reference({"binary_cross_entropy", {reals({0, 100, 2}), reals({0, 1, 0.25})}})[0],
        {(0.6931471805599453 + 0 + 2.1269280110429727 - 0.5) / 3});
  check(run_reference({"correct_count", {matrix(2, {1, 1, 1, 1}), labels}})[0], {1});
  // Two positions of one example, whose logits are those of two examples.
  const Operand positions = f32({1, 2, 2}, listed({0, 0, 1, 1}));
  const Operand each = i32({1, 2}, listed({0, 1}));
  check(run_reference({"cross_entropy", {positions, each}})[0], {0.8132616875182228});
  check(run_reference({"cross_entropy", {positions, each}, {{"class_weights", std::vector<double>{2, 0.5}}}})[0],
        {(2 * 1.3132616875182228 + 0.5 * 0.3132616875182228) / 2});
  check(run_reference({"correct_count", {positions, each}})[0], {1});
  // KL of (1/2, 1/2) and softmax(0, 1) is log(2 cosh(1/2)) - log(2), and T^2 = 4 times that of logits of twice the distance under T = 2.
  const double divergence = std::log(std::cosh(0.5));
  const Operand flat = matrix(1, {3, 3});
  const Operand first = i32({1}, listed({0}));
  check(run_reference({"distillation", {matrix(1, {0, 1}), first, flat}})[0], {divergence});
  check(run_reference({"distillation", {matrix(1, {0, 2}), first, flat}, {{"temperature", 2.0}, {"share", 0.75}}})[0],
        {0.75 * 4 * divergence + 0.25 * 2.1269280110429727});
  check(run_reference({"one_hot", {labels}, {{"classes", integer(3)}}})[0], {1, 0, 0, 0, 1, 0});
}

TEST_CASE("batch normalization uses the biased variance and remembers the unbiased one") {
  const auto results = run_reference(
      {"batch_norm", {matrix(2, {1, 3}), reals({2}), reals({3}), reals({10}), reals({1})}, {{"eps", 1e-12}, {"momentum", 0.1}}});
  check(results[0], {1, 5});
  check(results[1], {9.2});
  check(results[2], {1.1});
  check(results[3], {2});
  check(results[4], {1});
  check(run_reference({"batch_norm_inference", {matrix(2, {1, 3}), reals({2}), reals({3}), reals({1}), reals({3})}, {{"eps", 1.0}}})[0],
        {3, 5});
  const auto statistics = run_reference({"batch_statistics", {matrix(2, {1, 3})}});
  check(statistics[0], {2});
  check(statistics[1], {1});
  check(run_reference({"exponential_moving_average", {reals({2}), reals({3})}, {{"momentum", 0.25}, {"correction", 2.0}}})[0], {3});
  check(run_reference({"standard_deviation", {reals({3})}, {{"eps", 1.0}}})[0], {2});
}

TEST_CASE("layer, group and instance normalization use each example's biased variance") {
  const Operand x = matrix(2, {1, 3, 5, 5, -2, 2, 7, 1});
  const Values gamma{2, 1, 1, 1};
  const Values beta{3, 0, 0, 10};
  const double root = std::sqrt(2.75);  // of the first row: mean 3.5, squares 6.25, 0.25, 2.25, 2.25
  const auto results = run_reference({"layer_norm", {x, reals(gamma), reals(beta)}, {{"eps", 1e-12}}});
  check({results[0].begin(), results[0].begin() + 4}, {-5 / root + 3, -0.5 / root, 1.5 / root, 1.5 / root + 10});
  const auto groups = run_reference({"group_norm", {x, reals(gamma), reals(beta)}, {{"eps", 1e-12}, {"groups", integer(2)}}});
  check(groups[0], {1, 1, 0, 10, 1, 1, 1, 9});
  const auto instances =
      run_reference({"instance_norm", {f32({1, 2, 2}, listed({1, 3, 4, 4})), reals({2, 5}), reals({3, 6})}, {{"eps", 1e-12}}});
  check(instances[0], {1, 5, 6, 6});
}

TEST_CASE("optimizers take the step of their papers") {
  const Operand w = reals({1});
  const Operand g = reals({0.5});
  const Operand rate = reals({0.1});
  check(run_reference({"sgd", {w, g, rate}, {{"weight_decay", 0.1}}})[0], {0.94});
  for (const bool nesterov : {false, true}) {
    const auto results = run_reference({"sgd_momentum", {w, g, rate, reals({2})}, {{"momentum", 0.9}, {"nesterov", nesterov}}});
    check(results[0], {nesterov ? 0.743 : 0.77});
    check(results[1], {2.3});
  }
  const auto adam = [&](double decay, bool decoupled) {
    return run_reference(
        {"adam", {w, g, rate, reals({0}), reals({0}), i64({1}, listed({0}))}, {{"weight_decay", decay}, {"decoupled", decoupled}}});
  };
  check(adam(0, false)[0], {0.9});  // the first step is lr times the gradient's sign
  check(adam(0, false)[1], {0.05});
  check(adam(0, false)[2], {0.00025});
  check(adam(0.5, true)[0], {0.85});
  check(adam(0.5, false)[1], {0.1});
  const auto averaged = [&](double step) {
    return run_reference({"weight_average", {reals({1}), reals({3}), i64({1}, listed({step}))}, {{"decay", 0.75}}})[0];
  };
  check(averaged(0), {1 + 2 * (1 - 2.0 / 11)});
  check(averaged(7), {1 + 2 * 0.5});
  check(averaged(100), {1.5});
  check(run_reference({"clip_norm_factor", {reals({3}), reals({0, 4})}, {{"max_norm", 1.0}}})[0], {0.2});
  check(run_reference({"clip_norm_factor", {reals({3}), reals({0, 4})}, {{"max_norm", 10.0}}})[0], {1});
  check(run_reference({"clip", {reals({-3, 0.5, 3})}, {{"low", -1.0}, {"high", 2.0}}})[0], {-1, 0.5, 2});
}

TEST_CASE("learning rates rise to the base and then follow their schedule") {
  const auto rate = [](const char* kind, double step) {
    return run_reference({"learning_rate",
                          {i64({1}, listed({step}))},
                          {{"kind", text(kind)},
                           {"base", 0.2},
                           {"total_steps", integer(20)},
                           {"step_size", integer(4)},
                           {"gamma", 0.5},
                           {"warmup_steps", integer(3)},
                           {"final", 0.01}}})[0];
  };
  for (const char* kind : {"constant", "step", "cosine", "exponential"}) {
    check(rate(kind, 0), {0.2 / 3});
    check(rate(kind, 2), {0.2});
    check(rate(kind, 3), {0.2});
  }
  check(rate("constant", 40), {0.2});
  check(rate("step", 6), {0.2});
  check(rate("step", 7), {0.1});
  check(rate("exponential", 5), {0.1414213562373095});
  check(rate("cosine", 20), {0.01});
  check(rate("cosine", 40), {0.01});
  check(run_reference({"increment", {i64({1}, listed({41}))}})[0], {42});
  check(run_reference({"increment", {i64({1}, listed({41})), i64({1}, listed({0}))}})[0], {41});
  check(run_reference({"increment", {i64({1}, listed({41})), i64({1}, listed({3}))}})[0], {44});
}

TEST_CASE("observers keep the range that they have seen") {
  const auto seen = [](double low, double high) {
    const auto results = run_reference({"observe_min_max", {reals({2, -1, 0.5}), reals({low}), reals({high})}, {}});
    return Values{results[0][0], results[1][0]};
  };
  CHECK(seen(infinity, -infinity) == Values{-1, 2});
  CHECK(seen(-3, 1) == Values{-3, 2});
  CHECK(seen(0, 5) == Values{-1, 5});
  CHECK(seen(3, 4) == Values{-1, 4});
  const auto average = [](double low, double high, double count, double momentum) {
    const auto results = run_reference(
        {"observe_average", {reals({2, -1, 0.5}), reals({low}), reals({high}), i64({1}, listed({count}))}, {{"momentum", momentum}}});
    return Values{results[0][0], results[1][0], results[2][0]};
  };
  check(average(infinity, -infinity, 0, 0.1), {-1, 2, 1});
  check(average(infinity, -infinity, 7, 0.1), {-1, 2, 1});
  check(average(-3, 1, 1, 0.1), {-2, 1.5, 2});
  check(average(-3, 1, 3, 0.1), {-2.5, 1.25, 4});
  check(average(-3, 1, 9, 0.1), {-2.8, 1.1, 10});
  check(average(-3, 1, 10, 0.1), {-2.8, 1.1, 10});
  check(average(-3, 1, 1e9, 0.1), {-2.8, 1.1, 10});
  check(average(-3, 1, 0, 0.1), {-2.8, 1.1, 10});  // a count that isn't known
  check(average(-3, 1, -5, 0.1), {-2.8, 1.1, 10});
  check(average(-3, 1, 1, 1), {-1, 2, 1});
  check(average(-3, 1, 2, 0.3), {-2.3333333333333335, 1.3333333333333333, 3});
  check(average(-3, 1, 3, 0.3), {-2.4, 1.3, 4});
  check(average(-3, 1, 4, 0.3), {-2.4, 1.3, 4});
  check(average(-3, 1, 0, 1e-300), {-3, 1, 9007199254740992.0});
  const auto weights = run_reference({"weight_range", {matrix(2, {1, -2, 3, 4})}});
  CHECK(weights[0] == Values{-2, 3});
  CHECK(weights[1] == Values{1, 4});
}

TEST_CASE("the first of equals wins a maximum") {
  const auto results = run_reference({"max_pool", {f32({1, 1, 2, 4}, listed({1, 1, 0, 5, 0, 1, 5, 5}))}, {{"kernel", ir::Shape{2, 2}}}});
  CHECK(results[0] == Values{1, 5});
  CHECK(results[1] == Values{0, 1});
  CHECK(run_reference({"reduce_max_grad", {reals({7}), matrix(1, {2, 5, 5})}, {{"axes", ir::Shape{1}}}})[0] == Values{0, 7, 0});
}

TEST_CASE("binarization is the sign, with 0 positive; a stochastic one follows its probability") {
  CHECK(run_reference({"binarize", {reals({-0.5, 0, 0.5})}})[0] == Values{-1, 1, 1});
  const Values drawn = run_reference({"binarize",
                                      {f32({10000}, listed({0.5})), i64({1}, listed({0}))},
                                      {{"stochastic", true}, {"seed", integer(1)}, {"stream", integer(1)}}})[0];
  double sum = 0;
  for (const double value : drawn) sum += value;
  CHECK(sum / 10000 == doctest::Approx(0.5).epsilon(0.05));
}

// N-MOVE
TEST_CASE("data moves where the attributes say") {
  const Operand x = matrix(2, {1, 2, 3, 4, 5, 6});
  CHECK(run_reference({"transpose", {x}, {{"permutation", ir::Shape{1, 0}}}})[0] == Values{1, 4, 2, 5, 3, 6});
  CHECK(run_reference({"concat", {x, matrix(2, {7, 8})}})[0] == Values{1, 2, 3, 7, 4, 5, 6, 8});
  CHECK(run_reference({"slice", {x}, {{"axes", ir::Shape{1}}, {"starts", ir::Shape{1}}, {"ends", ir::Shape{3}}}})[0] == Values{2, 3, 5, 6});
  CHECK(run_reference({"pad", {matrix(1, {1, 2})}, {{"padding", ir::Shape{1, 0, 0, 1}}, {"value", 9.0}}})[0] == Values{9, 9, 9, 1, 2, 9});
  CHECK(run_reference({"pad_integer", {u8({2}, listed({1, 2})), i32({1}, listed({7}))}, {{"padding", ir::Shape{1, 2}}}})[0] ==
        Values{7, 1, 2, 7, 7});
  CHECK(run_reference({"broadcast", {matrix(2, {1, 2})}, {{"shape", ir::Shape{2, 2}}}})[0] == Values{1, 1, 2, 2});
  CHECK(run_reference({"reduce_sum", {x}, {{"axes", ir::Shape{0}}}})[0] == Values{5, 7, 9});
  CHECK(run_reference({"reduce_mean", {x}, {{"axes", ir::Shape{-1}}}})[0] == Values{2, 5});
  CHECK(run_reference({"reduce_max", {x}, {{"axes", ir::Shape{0, 1}}}})[0] == Values{6});
  CHECK(run_reference({"gather", {x}, {{"indices", ir::Shape{2, 0, 2}}}})[0] == Values{3, 1, 3, 6, 4, 6});
  CHECK(run_reference({"minimum", {x, matrix(1, {4, 1, 5})}})[0] == Values{1, 1, 3, 4, 1, 5});
  CHECK(run_reference({"maximum", {x, matrix(1, {4, 1, 5})}})[0] == Values{4, 2, 5, 4, 5, 6});
  CHECK(run_reference({"maximum_grad", {reals({7, 8, 9}), reals({1, 2, 2}), reals({1, 1, 3})}, {{"operand", integer(0)}}})[0] ==
        Values{7, 8, 0});
  CHECK(run_reference({"global_max_pool", {f32({1, 2, 1, 2}, listed({1, 3, -2, -4}))}})[0] == Values{3, -2});
  const auto blocks = [](const char* op, const ir::Shape& shape, const char* order) {
    return run_reference({op, {f32(shape, listed({1, 2, 3, 4, 5, 6, 7, 8}))}, {{"block", integer(2)}, {"order", text(order)}}})[0];
  };
  CHECK(blocks("depth_to_space", {1, 8, 1, 1}, "dcr") == Values{1, 3, 5, 7, 2, 4, 6, 8});
  CHECK(blocks("depth_to_space", {1, 8, 1, 1}, "crd") == Values{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(blocks("space_to_depth", {1, 2, 2, 2}, "dcr") == Values{1, 5, 2, 6, 3, 7, 4, 8});
  CHECK(blocks("space_to_depth", {1, 1, 2, 4}, "dcr") == Values{1, 3, 2, 4, 5, 7, 6, 8});
}

TEST_CASE("prelu has the slope of its channel") {
  check(run_reference({"prelu", {matrix(2, {-2, -2, 3, -4}), reals({0.5, 0.1})}})[0], {-1, -0.2, 3, -0.4});
  check(run_reference({"prelu", {matrix(2, {-2, -2, 3, -4}), reals({0.5})}})[0], {-1, -1, 3, -2});
  check(run_reference({"prelu_grad", {matrix(2, {1, 10, 100, 1000}), matrix(2, {-2, -3, 3, -4}), reals({0.5, 0.1})}})[1], {-2, -4030});
}

// N-RESIZE
TEST_CASE("resized images have their pixels where PyTorch has them, and integer weights") {
  const Operand x = f32({1, 1, 1, 2}, listed({0, 4}));
  const auto to = [](std::int64_t height, std::int64_t width) { return ir::Attributes{{"size", ir::Shape{height, width}}}; };
  CHECK(run_reference({"resize_bilinear", {x}, to(1, 4)})[0] == Values{0, 1, 3, 4});
  CHECK(run_reference({"resize_bilinear", {x}, to(2, 1)})[0] == Values{2, 2});
  check(run_reference({"resize_bilinear", {x}, to(1, 3)})[0], {0, 2, 4});
  check(run_reference({"resize_bilinear", {f32({1, 1, 1, 5}, listed({1, 2, 3, 4, 5}))}, to(1, 3)})[0], {1 + 1.0 / 3, 3, 4 + 2.0 / 3});
  CHECK(run_reference({"resize_nearest", {x}, to(2, 5)})[0] == Values{0, 0, 0, 4, 4, 0, 0, 0, 4, 4});
  const Operand q = u8({1, 1, 1, 2}, listed({3, 7}));
  CHECK(run_reference({"resize_bilinear_integer", {q, i32({1}, listed({3}))}, to(1, 4)})[0] == Values{0, 8, 24, 32});
}

// N-AVG
TEST_CASE("an average that leaves the padding out divides each window by its own number") {
  const ir::Attributes window{{"kernel", ir::Shape{1, 3}}, {"stride", ir::Shape{1, 1}}, {"padding", ir::Shape{0, 1, 0, 1}}};
  check(run_reference({"avg_pool_inside", {f32({1, 1, 1, 3}, listed({1, 2, 3}))}, window})[0], {1.5, 2, 2.5});
  CHECK(run_reference({"avg_pool_inside_integer", {u8({1, 1, 1, 3}, listed({11, 12, 13})), i32({1}, listed({10}))}, window})[0] ==
        Values{9, 12, 15});
}

}  // namespace stair::tests
