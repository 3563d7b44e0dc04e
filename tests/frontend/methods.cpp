// Quantizers of weights and range estimators, each as training, deployment and `verify` meet it.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "frontend/first_values.h"
#include "frontend/verification/verification_report.h"
#include "ir/text.h"
#include "passes/quantizer.h"
#include "passes/range_estimator.h"
#include "runtime/executor.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"
#include "tests/support/seeds.h"

using namespace stair;
using tests::QuantizedRun;

namespace {

void check_holds(const std::string& recipe) {
  CAPTURE(recipe);
  for (const bool mixed : {false, true}) {
    CAPTURE(mixed);
    if (mixed && tests::slow_build()) continue;
    QuantizedRun run = tests::quantized_run(mixed ? tests::small_mixed_net(8) : tests::small_lenet(8), recipe, 3);
    const verification::Verification report = tests::verify_run(run);
    INFO(verification::describe(report));
    CHECK(report.holds());
    CHECK(report.behind_floats.empty());
  }
}

// The only output of a graph in text, fed with one tensor.
runtime::Tensor run_text(const std::string& text, const runtime::Tensor& fed, const std::string& output) {
  runtime::Tensors states;
  runtime::Executor executor = frontend::executor_for(ir::parse(text, "test"), states, {});
  const ir::TensorView inputs[] = {fed.view()};
  executor.run(inputs);
  const ir::TensorView view = executor.output(output);
  runtime::Tensor made(view.type);
  std::copy(view.as<char>(), view.as<char>() + made.bytes(), made.as<char>());
  return made;
}

}  // namespace

TEST_CASE("every quantizer of weights trains, deploys and verifies, in all forms of requantization") {
  for (const auto& [method, quantizer] : passes::quantizers().all()) {
    if (quantizer.float_activations) continue;  // tests/frontend/verification.cpp
    for (const char* rest : {R"("requantization": "float")", R"("requantization": "fixed_point", "bias": "float32")",
                             R"("requantization": "power_of_two")", R"("batch_norm": {"fold": "weight"})"}) {
      if (!quantizer.powers_of_two && std::string(rest).find("power_of_two") != std::string::npos) continue;
      check_holds(R"({"weights": {"method": ")" + method + R"("}, )" + rest + "}");
      if (tests::slow_build()) break;
    }
    if (tests::slow_build()) continue;
    check_holds(R"({"weights": {"method": ")" + method + R"(", "granularity": "per_tensor"}})");
  }
}

TEST_CASE("scales that can't be powers of two are refused with power-of-two requantization") {
  CHECK_THROWS_WITH_AS(
      passes::recipe_from_json(R"({"weights": {"method": "ternary"}, "requantization": "power_of_two"})"),
      "recipe /requantization: found 'power_of_two' with ternary weights, expected 'float' or 'fixed_point' (their scales are "
      "no powers of two)",
      Error);
}

TEST_CASE("every range estimator trains, deploys and verifies, affine and symmetric") {
  for (const auto& [observer, estimator] : passes::range_estimators().all()) {
    if (observer == "fixed") continue;  // takes what an import brings (tests/onnx/quantized_files.cpp)
    check_holds(R"({"activations": {"observer": ")" + observer + R"(", "bits": 4}})");
    if (!tests::slow_build()) check_holds(R"({"activations": {"observer": ")" + observer + R"(", "symmetric": true}})");
  }
}

TEST_CASE("a learned step begins as the weights say, and is trained (N-LSQ)") {
  const ir::Graph model = tests::small_lenet(8);
  const passes::Recipe recipe = passes::recipe_from_json(R"({"weights": {"method": "lsq", "bits": 4}})");
  runtime::Tensors states;
  runtime::initialize_states(model, 0, states);
  const runtime::Tensor batch = tests::random_images(model.type(model.inputs().front()), 1);
  frontend::give_first_values(model, recipe, std::vector{batch.view()}, states);
  const runtime::Tensor& w = states.at("fc.weight");
  const runtime::Tensor& step = states.at("fc.weight.step");
  const std::int64_t length = w.count() / step.count();
  for (std::int64_t c = 0; c < step.count(); ++c) {
    double sum = 0;
    for (std::int64_t i = 0; i < length; ++i) sum += std::abs(static_cast<double>(w.as<float>()[c * length + i]));
    CHECK(step.as<float>()[c] == doctest::Approx(2 * sum / static_cast<double>(length) / std::sqrt(7.0)));
  }
  const std::vector<float> first(step.as<float>(), step.as<float>() + step.count());
  QuantizedRun run = tests::quantized_run(model, R"({"weights": {"method": "lsq", "bits": 4}})", 3);
  const float* trained = run.states.at("fc.weight.step").as<float>();
  CHECK(!std::equal(first.begin(), first.end(), trained));
  // What has a value keeps it.
  const std::vector<float> before(trained, trained + first.size());
  frontend::give_first_values(model, recipe, std::vector{batch.view()}, run.states);
  CHECK(std::equal(before.begin(), before.end(), run.states.at("fc.weight.step").as<float>()));
}

TEST_CASE("a learned step of activations begins as the first batch says, unsigned where they are never negative (N-LSQ)") {
  const ir::Graph model = tests::small_lenet(8);
  const std::string text = R"({"activations": {"observer": "lsq", "bits": 4}})";
  const passes::Recipe recipe = passes::recipe_from_json(text);
  const runtime::Tensor batch = tests::random_images(model.type(model.inputs().front()), 1000);
  runtime::Tensors states;
  runtime::initialize_states(model, 0, states);
  frontend::give_first_values(model, recipe, std::vector{batch.view()}, states);
  const std::string input = model.value(model.inputs().front()).name;
  double sum = 0;
  for (std::int64_t i = 0; i < batch.count(); ++i) sum += std::abs(static_cast<double>(batch.as<float>()[i]));
  const float first = *states.at(input + ".step").as<float>();
  CHECK(first == doctest::Approx(2 * sum / static_cast<double>(batch.count()) / std::sqrt(7.0)));
  const QuantizedRun run = tests::quantized_run(model, text, 3, 1);
  CHECK(*run.states.at(input + ".step").as<float>() != first);
  bool is_signed = false;
  bool is_unsigned = false;
  for (const ir::Node& node : run.deployment.graph.nodes()) {
    if (!node.attributes.has("hi")) continue;
    is_signed = is_signed || (node.attributes.integer("lo") == -7 && node.attributes.integer("hi") == 7);
    is_unsigned = is_unsigned || (node.attributes.integer("lo") == 0 && node.attributes.integer("hi") == 15);
  }
  CHECK(is_signed);
  CHECK(is_unsigned);
}

TEST_CASE("the gradient of a learned step is that of its simulation, where rounding counts as the identity (N-LSQ)") {
  const std::string text =
      "sir 1\ngraph \"t\"\n%x = input : f32[3,4]\n%s = constant() {value=0.25, shape=[3]} : f32[3]\n%z = constant() {dtype=\"i32\"} : "
      "i32[1]\n"
      "%d = step_gradient(%x, %x, %s, %z) {factor=0.5, hi=3, lo=-3} : f32[3]\noutput d = %d\n";
  runtime::Tensor x({ir::DType::f32, {3, 4}});
  const float values[] = {0.1F, 0.2F, -0.3F, 2, 0, 0, 0, 0, -5, 0.125F, 0.4F, -0.7F};
  std::copy(values, values + 12, x.as<float>());
  const runtime::Tensor d = run_text(text, x, "d");
  for (std::int64_t c = 0; c < 3; ++c) {
    double sum = 0;
    for (std::int64_t i = 4 * c; i < 4 * c + 4; ++i) {
      const double t = values[i] / 0.25;
      sum += values[i] * (t >= 3 ? 3 : t <= -3 ? -3 : std::nearbyint(t) - t);
    }
    CHECK(d.as<float>()[c] == doctest::Approx(0.5 * sum));
  }
}

TEST_CASE("an artifact packs ternary weights in 2 bits") {
  const QuantizedRun run = tests::quantized_run(tests::small_lenet(8), R"({"weights": {"method": "ternary"}})", 1);
  int packed = 0;
  for (const ir::State& state : run.deployment.graph.states()) {
    if (!state.attributes.has("bits")) continue;
    CHECK(state.attributes.integer("bits") == 2);
    ++packed;
  }
  CHECK(packed == 4);
}

TEST_CASE("ternary weights: threshold and scale of the paper (N-TERNARY)") {
  const std::string text =
      "sir 1\ngraph \"t\"\n%x = input : f32[2,5]\n%q, %scale = ternarize(%x) : s8[2,5], f32[2]\noutput q = %q\noutput scale = %scale\n";
  runtime::Tensor x({ir::DType::f32, {2, 5}});
  const float values[] = {1, -0.5F, 0.1F, -2, 0.4F, 0, 0, 0, 0, 0};  // mean magnitude 0.8, threshold 0.56
  std::copy(values, values + 10, x.as<float>());
  const runtime::Tensor q = run_text(text, x, "q");
  const std::vector<int> expected{1, 0, 0, -1, 0, 0, 0, 0, 0, 0};
  CHECK(std::equal(expected.begin(), expected.end(), q.as<std::int8_t>()));
  const runtime::Tensor scale = run_text(text, x, "scale");
  CHECK(scale.as<float>()[0] == doctest::Approx(1.5));
  CHECK(scale.as<float>()[1] == 1);
}

TEST_CASE("a histogram of nothing has the empty range") {
  for (const char* op : {"percentile_range(%x)", "mse_range(%x) {hi=15, lo=0}"}) {
    const std::string text = std::string("sir 1\ngraph \"t\"\n%x = input : f32[4097]\n%low, %high = ") + op +
                             " : f32[1], f32[1]\noutput low = %low\noutput high = %high\n";
    runtime::Tensor none({ir::DType::f32, {4097}});
    std::fill(none.as<float>(), none.as<float>() + none.count(), 0.0F);
    CHECK(*run_text(text, none, "low").as<float>() > *run_text(text, none, "high").as<float>());
  }
}

TEST_CASE("ranges from histograms: percentiles are those of the sorted elements, within a bin") {
  const std::string head =
      "sir 1\ngraph \"t\"\n%x = input : f32[50000]\n%h = constant() {shape=[4097]} : f32[4097]\n"
      "%n = observe_histogram(%x, %h) : f32[4097]\n";
  for (const bool positive : {false, true}) {
    CAPTURE(positive);
    runtime::Tensor x = tests::random_images({ir::DType::f32, {50000}}, 5);
    for (std::int64_t i = 0; i < x.count(); ++i) {
      float& value = x.as<float>()[i];
      value = std::pow(value - 0.5F, 3.0F) * 40;
      if (positive) value = std::max(value, 0.0F);
    }
    std::vector<float> sorted(x.as<float>(), x.as<float>() + x.count());
    std::sort(sorted.begin(), sorted.end());
    for (const double percentile : {90.0, 99.0, 99.9, 100.0}) {
      CAPTURE(percentile);
      const std::string text = head + "%low, %high = percentile_range(%n) {percentile=" + std::to_string(percentile) +
                               "} : f32[1], f32[1]\noutput low = %low\noutput high = %high\n";
      const auto rank = static_cast<std::size_t>((1 - percentile / 100) * 50000);
      const double low = sorted[rank];
      const double high = sorted[sorted.size() - 1 - rank];
      CHECK(std::abs(*run_text(text, x, "low").as<float>() - low) <= std::abs(low) / 32 + 1e-9);
      CHECK(std::abs(*run_text(text, x, "high").as<float>() - high) <= std::abs(high) / 32 + 1e-9);
    }
    // No part of the whole range has a smaller error over the elements themselves, but for what bins blur.
    const std::string text = head + "%low, %high = mse_range(%n) {hi=15, lo=0} : f32[1], f32[1]\noutput low = %low\noutput high = %high\n";
    const auto error = [&](double low, double high) {
      low = std::min(low, 0.0);
      high = std::max(high, 0.0);
      const double scale = (high - low) / 15;
      const double zero = std::nearbyint(-low / scale);
      double sum = 0;
      for (const float value : sorted) {
        const double back = (std::clamp(std::nearbyint(value / scale) + zero, 0.0, 15.0) - zero) * scale;
        sum += (value - back) * (value - back);
      }
      return sum;
    };
    const double chosen = error(*run_text(text, x, "low").as<float>(), *run_text(text, x, "high").as<float>());
    double best = chosen;
    for (int part = 1; part <= 100; ++part) best = std::min(best, error(part / 100.0 * sorted.front(), part / 100.0 * sorted.back()));
    CHECK(chosen <= 1.05 * best);
    CHECK(chosen < error(sorted.front(), sorted.back()));
  }
}
