#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "backends/backend.h"
#include "ir/op.h"
#include "ir/random.h"
#include "tests/ops/cases.h"
#include "tests/ops/interpreter.h"

namespace stair::tests {
namespace {

constexpr double difference_step = 1e-5;
constexpr double tolerance = 1e-6;
constexpr std::int64_t largest_operand = 1000;  // larger cases are for the backends' threads
constexpr std::size_t elements_an_operand = 60;

// Float operands that an op gives no gradient by: statistics and targets, which nobody trains; the scales of the straight-through
// estimators.
const std::set<std::pair<std::string, std::size_t>> constants{
    {"mean_squared_error", 1},   {"mean_absolute_error", 1}, {"huber", 1},      {"binary_cross_entropy", 1},
    {"distillation", 2},         {"batch_norm", 3},          {"batch_norm", 4}, {"batch_norm_inference", 3},
    {"batch_norm_inference", 4}, {"fake_quantize", 1}};

std::string weight_name(std::size_t result) {
  return "weight" + std::to_string(result);
}

bool is_float_operand(const Case& c, std::size_t i) {
  return c.operands[i] && ir::is_float(c.operands[i]->type.dtype);
}

bool is_small(const Case& c) {
  return std::all_of(c.operands.begin(), c.operands.end(), [](const std::optional<Operand>& operand) {
    return !operand || ir::element_count(operand->type.shape) <= largest_operand;
  });
}

bool is_differentiable(const Case& c) {
  return ir::op(c.op).gradient.rule != nullptr && is_small(c) && is_float_operand(c, 0);
}

// A case's node in double precision and the gradients of the loss, which is the sum of the results times fixed weights.
struct Differentiated {
  ir::Graph graph;
  std::vector<ir::ValueId> gradients;
};

Differentiated differentiate(const Case& c, const std::vector<bool>& needs) {
  Differentiated d{graph_of(c, ir::DType::f64), {}};
  const std::vector<ir::ValueId> results = d.graph.node(0).results;
  std::vector<ir::ValueId> by_result(results.size(), ir::absent);
  for (const std::size_t i : c.gradient_results) by_result[i] = d.graph.add_input(weight_name(i), d.graph.type(results[i]));
  ir::GradientContext context(d.graph, 0, by_result, needs);
  d.gradients = d.graph.node(0).op->gradient.rule(context);
  return d;
}

std::vector<bool> all_floats(const Case& c) {
  std::vector<bool> needs;
  for (std::size_t i = 0; i < c.operands.size(); ++i) needs.push_back(is_float_operand(c, i));
  return needs;
}

// Weights of either sign, none of them small.
runtime::Tensors draw_weights(const Case& c, const ir::Graph& graph) {
  runtime::Tensors weights;
  for (const std::size_t result : c.gradient_results) {
    runtime::Tensor tensor(graph.type(graph.node(0).results[result]));
    for (std::int64_t i = 0; i < tensor.count(); ++i) {
      const auto u = static_cast<double>(ir::random_uniform(99, result, 0, static_cast<std::uint64_t>(i)));
      tensor.as<double>()[i] = u < 0.5 ? -0.5 - u : u;
    }
    weights.emplace(weight_name(result), std::move(tensor));
  }
  return weights;
}

double loss(const Case& c, const ir::Graph& graph, const Interpreter& forward, const runtime::Tensors& weights) {
  double sum = 0;
  for (const std::size_t result : c.gradient_results) {
    const runtime::Tensor& y = forward.value(graph.node(0).results[result]);
    const auto* w = weights.find(weight_name(result))->second.as<double>();
    for (std::int64_t i = 0; i < y.count(); ++i) sum += y.as<double>()[i] * w[i];
  }
  return sum;
}

void check_differences(const Case& c, std::size_t operand, const std::vector<double>& gradient, const runtime::Tensors& weights) {
  const ir::Graph graph = graph_of(c, ir::DType::f64);
  Interpreter forward(graph, {&backends::named("reference")});
  forward.feed(draw_operands(c, ir::DType::f64));
  double largest = 1;
  for (const double g : gradient) largest = std::max(largest, std::abs(g));
  auto* x = forward.value(graph.node(0).operands[operand]).as<double>();
  const std::size_t stride = std::max<std::size_t>(1, gradient.size() / elements_an_operand);
  for (std::size_t i = 0; i < gradient.size(); i += stride) {
    const double before = x[i];
    x[i] = before + difference_step;
    forward.run();
    const double above = loss(c, graph, forward, weights);
    x[i] = before - difference_step;
    forward.run();
    const double below = loss(c, graph, forward, weights);
    x[i] = before;
    const double difference = (above - below) / (2 * difference_step);
    if (std::abs(difference - gradient[i]) <= tolerance * largest) continue;
    CAPTURE(i);
    CHECK(gradient[i] == doctest::Approx(difference));
  }
}

// The gradients by each operand (empty where the rule gives none).
std::vector<std::vector<double>> gradients_of(const Case& c, const runtime::Tensors& weights, const std::vector<bool>& needs) {
  const Differentiated d = differentiate(c, needs);
  Interpreter interpreter(d.graph, {&backends::named("reference")});
  interpreter.feed(draw_operands(c, ir::DType::f64));
  interpreter.feed(weights);
  interpreter.run();
  std::vector<std::vector<double>> gradients;
  for (std::size_t i = 0; i < d.gradients.size(); ++i) {
    gradients.emplace_back();
    if (d.gradients[i] == ir::absent) continue;
    CHECK(d.graph.type(d.gradients[i]) == d.graph.type(d.graph.node(0).operands[i]));
    gradients.back() = to_doubles(interpreter.value(d.gradients[i]));
  }
  gradients.resize(c.operands.size());
  return gradients;
}

bool is_straight_through(const Case& c) {
  return c.op == "fake_quantize" || c.op == "fake_quantize_learned" || c.op == "fake_binarize" || c.op == "fake_ternarize";
}

// x / s for each element and its channel's scale, of a case whose scales are operand 1.
std::vector<double> quotients(const Case& c, std::vector<std::size_t>* channels = nullptr) {
  const runtime::Tensors operands = draw_operands(c, ir::DType::f64);
  const std::vector<double> x = to_doubles(operands.find(operand_name(0))->second);
  const std::vector<double> scale = to_doubles(operands.find(operand_name(1))->second);
  const ir::Shape& shape = c.operands[0]->type.shape;
  std::int64_t axis = c.attributes.integer("axis");
  if (axis < 0) axis += static_cast<std::int64_t>(shape.size());
  const std::int64_t inner = ir::element_count({shape.begin() + axis + 1, shape.end()});
  std::vector<double> all;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto channel = static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner % shape[static_cast<std::size_t>(axis)]);
    const std::size_t at = scale.size() == 1 ? 0 : channel;
    all.push_back(x[i] / scale[at]);
    if (channels != nullptr) channels->push_back(at);
  }
  return all;
}

// The gradient by a learned scale: Esser 2020, equation 3.
std::vector<double> by_scale(const Case& c, const std::vector<double>& weights) {
  std::vector<std::size_t> channels;
  const std::vector<double> t = quotients(c, &channels);
  const double zero_point = to_doubles(draw_operands(c, ir::DType::f64).find(operand_name(2))->second)[0];
  const double factor = c.attributes.has("scale_gradient") ? c.attributes.number("scale_gradient") : 1;
  std::vector<double> sums(static_cast<std::size_t>(ir::element_count(c.operands[1]->type.shape)), 0.0);
  for (std::size_t i = 0; i < t.size(); ++i) {
    const double least = static_cast<double>(c.attributes.integer("lo")) - zero_point;
    const double most = static_cast<double>(c.attributes.integer("hi")) - zero_point;
    const double slope = t[i] <= least ? least : t[i] >= most ? most : std::nearbyint(t[i]) - t[i];
    sums[channels[i]] += factor * weights[i] * slope;
  }
  return sums;
}

// For each weight whether it is within 1.5 scales (Li 2016, equations 5 and 6).
std::vector<bool> within_ternary(const Case& c, const std::vector<double>& w) {
  const std::size_t channels = c.attributes.boolean("per_channel") ? static_cast<std::size_t>(c.operands[0]->type.shape[0]) : 1;
  const std::size_t length = w.size() / channels;
  std::vector<bool> within;
  for (std::size_t first = 0; first < w.size(); first += length) {
    double mean = 0;
    for (std::size_t i = first; i < first + length; ++i) mean += std::abs(w[i]) / static_cast<double>(length);
    double sum = 0;
    double count = 0;
    for (std::size_t i = first; i < first + length; ++i) {
      if (std::abs(w[i]) <= 0.7 * mean) continue;
      sum += std::abs(w[i]);
      ++count;
    }
    for (std::size_t i = first; i < first + length; ++i) within.push_back(std::abs(w[i]) < 1.5 * (count > 0 ? sum / count : 1));
  }
  return within;
}

// What the declared surrogate passes of the loss's weights.
std::vector<double> surrogate(const Case& c, const std::vector<double>& weights) {
  const bool clipped = c.attributes.text("estimator") == "clipped";
  const runtime::Tensors operands = draw_operands(c, ir::DType::f64);
  const std::vector<double> x = to_doubles(operands.find(operand_name(0))->second);
  const bool has_scale = c.op == "fake_quantize" || c.op == "fake_quantize_learned";
  const std::vector<double> t = has_scale ? quotients(c) : std::vector<double>();
  const std::vector<bool> ternary = c.op == "fake_ternarize" ? within_ternary(c, x) : std::vector<bool>();
  std::vector<double> expected;
  for (std::size_t i = 0; i < x.size(); ++i) {
    bool inside = std::abs(x[i]) <= 1;
    if (c.op == "fake_ternarize") inside = ternary[i];
    if (has_scale) {
      const double zero_point = to_doubles(operands.find(operand_name(2))->second)[0];
      const double q = zero_point + std::nearbyint(t[i]);
      inside = q >= static_cast<double>(c.attributes.integer("lo")) && q <= static_cast<double>(c.attributes.integer("hi"));
    }
    expected.push_back(!clipped || inside ? weights[i] : 0.0);
  }
  return expected;
}

}  // namespace

TEST_CASE("gradient rules agree with central differences, and straight-through estimators with their surrogates") {
  std::set<std::string> covered;
  for (const Case& c : cases()) {
    if (!is_differentiable(c)) continue;
    covered.insert(c.op);
    const std::string what = describe(c);
    CAPTURE(what);
    const runtime::Tensors weights = draw_weights(c, graph_of(c, ir::DType::f64));
    const std::vector<std::vector<double>> gradients = gradients_of(c, weights, all_floats(c));
    for (std::size_t i = 0; i < c.operands.size(); ++i) {
      CAPTURE(i);
      if (!is_float_operand(c, i) || constants.contains({c.op, i})) {
        CHECK(gradients[i].empty());
        continue;
      }
      CHECK(std::any_of(gradients[i].begin(), gradients[i].end(), [](double g) { return g != 0; }));
      if (is_straight_through(c) && i == 1) {
        const std::vector<double> expected = by_scale(c, to_doubles(weights.find(weight_name(0))->second));
        REQUIRE(gradients[i].size() == expected.size());
        for (std::size_t at = 0; at < expected.size(); ++at) CHECK(gradients[i][at] == doctest::Approx(expected[at]));
      } else if (is_straight_through(c)) {
        CHECK(gradients[i] == surrogate(c, to_doubles(weights.find(weight_name(0))->second)));
      } else {
        check_differences(c, i, gradients[i], weights);
      }
    }
  }
  for (const auto& [key, schema] : ir::op_registry().all()) {
    const std::string& name = key;
    CAPTURE(name);
    CHECK(covered.contains(name) == (schema.gradient.rule != nullptr));
  }
}

TEST_CASE("a gradient doesn't depend on which others are wanted") {
  for (const Case& c : cases()) {
    if (!is_differentiable(c)) continue;
    const std::string what = describe(c);
    CAPTURE(what);
    const runtime::Tensors weights = draw_weights(c, graph_of(c, ir::DType::f64));
    const std::vector<std::vector<double>> together = gradients_of(c, weights, all_floats(c));
    for (std::size_t i = 0; i < c.operands.size(); ++i) {
      if (together[i].empty()) continue;
      CAPTURE(i);
      std::vector<bool> needs(c.operands.size(), false);
      needs[i] = true;
      CHECK(gradients_of(c, weights, needs)[i] == together[i]);
    }
  }
}

TEST_CASE("clipped estimators pass some gradients and stop others") {
  for (const Case& c : cases()) {
    if (!is_straight_through(c) || !is_small(c) || c.attributes.text("estimator") != "clipped") continue;
    const std::string what = describe(c);
    CAPTURE(what);
    const std::vector<double> passed =
        surrogate(c, std::vector<double>(static_cast<std::size_t>(ir::element_count(c.operands[0]->type.shape)), 1.0));
    CHECK(std::count(passed.begin(), passed.end(), 0.0) > 0);
    CHECK(std::count(passed.begin(), passed.end(), 1.0) > 0);
  }
}

TEST_CASE("dropout's gradient is scaled where its mask keeps and 0 where it drops") {
  for (const Case& c : cases()) {
    if (c.op != "dropout") continue;
    const Differentiated d = differentiate(c, all_floats(c));
    const runtime::Tensors weights = draw_weights(c, d.graph);
    Interpreter interpreter(d.graph, {&backends::named("reference")});
    interpreter.feed(draw_operands(c, ir::DType::f64));
    interpreter.feed(weights);
    interpreter.run();
    const std::vector<double> mask = to_doubles(interpreter.value(d.graph.node(0).results[1]));
    const std::vector<double> gradient = to_doubles(interpreter.value(d.gradients[0]));
    const std::vector<double> weight = to_doubles(weights.find(weight_name(0))->second);
    const double rate = static_cast<double>(static_cast<float>(c.attributes.number("rate")));
    CHECK((std::count(mask.begin(), mask.end(), 0.0) > 0) == (rate > 0));
    for (std::size_t i = 0; i < mask.size(); ++i) {
      CHECK(gradient[i] == doctest::Approx(mask[i] != 0 ? weight[i] / (1 - rate) : 0.0).epsilon(1e-12));
    }
  }
}

TEST_CASE("a rule reads the latent weights behind a fake-quantization with backward=latent") {
  for (const bool latent : {false, true}) {
    CAPTURE(latent);
    ir::Graph graph;
    const ir::ValueId x = graph.add_input("x", {ir::DType::f64, {1, 2}});
    const ir::ValueId w = graph.add_input("w", {ir::DType::f64, {1, 2}});
    const ir::ValueId dy = graph.add_input("dy", {ir::DType::f64, {1, 1}});
    const ir::ValueId q = graph.emit("fake_binarize", {w}, {{"backward", std::string(latent ? "latent" : "quantized")}});
    graph.emit("linear", {x, q});
    ir::GradientContext context(graph, 1, {dy}, {true, true});
    const std::vector<ir::ValueId> gradients = graph.node(1).op->gradient.rule(context);
    Interpreter interpreter(graph, {&backends::named("reference")});
    from_doubles({0.5, 0.25}, interpreter.value(x));
    from_doubles({0.125, -3}, interpreter.value(w));
    from_doubles({2}, interpreter.value(dy));
    interpreter.run();
    CHECK(to_doubles(interpreter.value(gradients[0])) == (latent ? std::vector<double>{0.25, -6} : std::vector<double>{2, -2}));
    CHECK(to_doubles(interpreter.value(gradients[1])) == std::vector<double>{1, 0.5});
  }
}

}  // namespace stair::tests
