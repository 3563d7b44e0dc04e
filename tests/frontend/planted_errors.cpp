#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "ir/histogram.h"
#include "ir/op.h"
#include "ir/random.h"
#include "passes/analysis.h"
#include "tests/frontend/judged_run.h"
#include "tests/support/model_builder.h"
#include "tests/support/random_recipe.h"
#include "tests/support/seeds.h"

// What N-CHECK promises: an error of one step, a tenth of a step or more away from a tie, is found, wherever it is planted. How far from a
// tie is told by judged_run.h from the realized graph, which shares nothing with the judge.

using namespace stair;
using ir::ValueId;
using tests::JudgedRun;

namespace {

constexpr double near = 0.1;  // steps

std::int64_t at(const runtime::Tensor& tensor, std::int64_t i) {
  if (tensor.type().dtype == ir::DType::u8) return tensor.as<std::uint8_t>()[i];
  return tensor.type().dtype == ir::DType::s8 ? tensor.as<std::int8_t>()[i] : tensor.as<std::int32_t>()[i];
}

// False where the tensor's type doesn't hold the sum.
bool add(runtime::Tensor& tensor, std::int64_t i, std::int64_t more) {
  const std::int64_t sum = at(tensor, i) + more;
  switch (tensor.type().dtype) {
    case ir::DType::u8:
      if (sum < 0 || sum > 255) return false;
      tensor.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(sum);
      return true;
    case ir::DType::s8:
      if (sum < -128 || sum > 127) return false;
      tensor.as<std::int8_t>()[i] = static_cast<std::int8_t>(sum);
      return true;
    default:
      if (sum > 2147483647 || sum < -2147483648LL) return false;
      tensor.as<std::int32_t>()[i] = static_cast<std::int32_t>(sum);
      return true;
  }
}

struct Count {
  int planted = 0, near = 0, near_found = 0;
};

class Planter {
 public:
  std::map<std::string, Count> counts;  // by what was planted in

  void plant(const std::string& title, JudgedRun& trial, std::uint64_t seed) {
    CAPTURE(title);
    trial_ = &trial;
    seed_ = seed;
    const std::vector<verification::Judgement> constants = trial.judge_constants();
    const std::vector<verification::Judgement> activations = trial.judge_images();
    INFO(tests::describe(constants), tests::describe(activations));
    REQUIRE(tests::wrong(constants) == 0);
    REQUIRE(tests::wrong(activations) == 0);
    all_judged(activations);
    found_.clear();
    for (const ValueId value : constants_of()) {
      if (ir::is_float(tensor(value).type().dtype)) {
        plant_floats(value);
      } else {
        plant_integers(value);
      }
    }
    for (const verification::Judgement& j : constants) {
      CAPTURE(j.node);
      CAPTURE(j.what);
      CHECK(found_.contains({j.node, j.what}) == (j.elements > 0));  // what is looked at can be found wrong
    }
    for (std::size_t n = 0; n < activations.size(); ++n) plant_images(activations[n], n);
  }

 private:
  runtime::Tensor& tensor(ValueId value) { return trial_->values.at(value); }
  const ir::Graph& graph() const { return trial_->realized.graph; }
  std::int64_t pick(std::int64_t n) {
    return static_cast<std::int64_t>(ir::random_bits(seed_, 17, 0, draws_++) % static_cast<std::uint64_t>(n));
  }

  // Every integer that an image reaches.
  void all_judged(const std::vector<verification::Judgement>& activations) const {
    std::set<ValueId> judged;
    for (const verification::Judgement& j : activations) judged.insert(j.value);
    for (const ir::Node& node : graph().nodes()) {
      if (node.op->name == "reshape" && judged.contains(node.results[0])) judged.insert(node.operands[0]);
    }
    const std::vector<bool> depends = passes::depends_on_inputs(graph());
    for (const ir::Node& node : graph().nodes()) {
      const ValueId value = node.results[0];
      if (ir::is_float(graph().type(value).dtype) || !depends[static_cast<std::size_t>(value)]) continue;
      CAPTURE(node.op->name);
      CAPTURE(node.name);
      CHECK((judged.contains(value) || (node.op->name == "reshape" && judged.contains(node.operands[0]))));
    }
  }

  std::int64_t wrong_constants() {
    const std::vector<verification::Judgement> judgements = trial_->judge_constants();
    for (const verification::Judgement& j : judgements) {
      if (j.wrong > 0) found_.insert({j.node, j.what});
    }
    return tests::wrong(judgements);
  }

  // Every constant that stands for something: all that a judge has to look at, whether it does or not.
  std::set<ValueId> constants_of() {
    std::set<ValueId> all;
    for (const passes::Integers& its : trial_->realized.integers) all.insert({its.q, its.scale, its.zero_point});
    for (const passes::IntegerSum& its : trial_->realized.sums) {
      all.insert({its.weight, its.weight_scale, its.step, its.bias, its.float_bias});
    }
    for (const ir::Node& node : graph().nodes()) {
      const std::string& op = node.op->name;
      if (op == "lookup") all.insert(node.operands[1]);
      if (op == "softmax_integer" || op.ends_with("_norm_integer")) all.insert(node.operands.begin(), node.operands.end());
      if (op == "fixed_multiplier" || op == "requantize" || op == "requantize_fixed" || op == "add_fixed" || op == "mul_fixed" ||
          op == "point_binary") {
        all.insert(node.operands.begin(), node.operands.end());
      }
    }
    const std::vector<bool> depends = passes::depends_on_inputs(graph());
    std::erase_if(all, [&](ValueId value) { return value == ir::absent || depends[static_cast<std::size_t>(value)]; });
    return all;
  }

  std::string kind_of(ValueId value) const {
    const ir::Node* node = graph().producer(value);
    if (node == nullptr) return "state";
    const auto result = static_cast<std::size_t>(graph().value(value).result);
    return node->op->name + " " + node->op->results[std::min(result, node->op->results.size() - 1)].name;
  }

  // From the tie that lies between the integer and the one that is planted.
  double distance(ValueId value, std::int64_t i, int more) const {
    const std::optional<double> t = tests::unrounded(*trial_, value, i);
    return t ? more * (static_cast<double>(at(trial_->values.at(value), i)) + more / 2.0 - *t) : 0.5;
  }

  bool entry_counts(ValueId value, std::int64_t i) const {  // of a table those that an integer may look up
    const ir::Node* node = graph().producer(value);
    if (node == nullptr || node->op->name != "tabulate") return true;
    const std::int64_t low = node->attributes.integer("x_lo");
    const std::int64_t q = i - (low < 0 ? 128 : 0);
    return q >= low && q <= node->attributes.integer("x_hi");
  }

  // All elements of what is small, some of what isn't.
  std::vector<std::int64_t> some(ValueId value) {
    constexpr std::int64_t most = 12;
    const std::int64_t count = tensor(value).count();
    std::vector<std::int64_t> elements;
    for (std::int64_t i = 0; i < std::min(count, most); ++i) elements.push_back(count <= most ? i : pick(count));
    std::erase_if(elements, [&](std::int64_t i) { return !entry_counts(value, i); });
    return elements;
  }

  void count(const std::string& kind, bool far, bool found) {
    Count& of = counts[kind];
    if (far) {
      ++of.planted;
    } else {
      ++of.near;
      of.near_found += found ? 1 : 0;
    }
  }

  void plant_integers(ValueId value) {
    const std::string kind = kind_of(value);
    CAPTURE(kind);
    CAPTURE(graph().value(value).name);
    const runtime::Tensor before = tensor(value).clone();
    for (const std::int64_t i : some(value)) {
      for (const int more : {1, -1}) {
        const bool far = distance(value, i, more) >= near;
        if (!add(tensor(value), i, more)) continue;
        const bool found = wrong_constants() > 0;
        if (far && !found) {
          CAPTURE(i);
          CAPTURE(more);
          CAPTURE(at(before, i));
          CHECK(found);
        }
        count(kind, far, found);
        tensor(value) = before.clone();
      }
    }
    const std::map<std::string, std::string> judged_alike{
        {"quantize q", "weights"}, {"tabulate table", "table"}, {"fit_channels bias", "bias"}};
    if (const auto what = judged_alike.find(kind); what != judged_alike.end()) {
      plant_all(value, kind, [&, name = what->second] { return tests::wrong(trial_->judge_constants(), name); });
    }
  }

  // In all elements at once that are far enough: each is found.
  template <class Wrong>
  void plant_all(ValueId value, const std::string& kind, Wrong&& wrong) {
    const runtime::Tensor before = tensor(value).clone();
    for (const int more : {1, -1}) {
      CAPTURE(more);
      std::int64_t planted = 0;
      for (std::int64_t i = 0; i < before.count(); ++i) {
        if (!entry_counts(value, i) || distance(value, i, more) < near) continue;
        planted += add(tensor(value), i, more) ? 1 : 0;
      }
      CHECK(wrong() == planted);
      counts[kind].planted += static_cast<int>(planted);
      tensor(value) = before.clone();
    }
  }

  // Floats have no ties: 2^-12 of the largest is more than roundings do.
  void plant_floats(ValueId value) {
    const std::string kind = kind_of(value);
    CAPTURE(kind);
    CAPTURE(graph().value(value).name);
    const runtime::Tensor before = tensor(value).clone();
    float largest = 0;
    for (std::int64_t i = 0; i < before.count(); ++i) largest = std::max(largest, std::abs(before.as<float>()[i]));
    if (largest == 0) largest = 1;
    for (const std::int64_t i : some(value)) {
      for (const float more : {0x1p-12F, -0x1p-12F}) {
        tensor(value).as<float>()[i] += more * largest;
        const bool found = wrong_constants() > 0;
        CAPTURE(i);
        CAPTURE(more);
        CAPTURE(before.as<float>()[i]);
        CAPTURE(largest);
        CHECK(found);
        count(kind, true, found);
        tensor(value) = before.clone();
      }
    }
  }

  void plant_images(const verification::Judgement& clean, std::size_t n) {
    const ValueId value = clean.value;
    CAPTURE(clean.node);
    const runtime::Tensor before = tensor(value).clone();
    const auto wrong = [&] { return trial_->judge_images()[n].wrong; };
    if (ir::is_float(before.type().dtype)) {
      float largest = 0;
      for (std::int64_t i = 0; i < before.count(); ++i) largest = std::max(largest, std::abs(before.as<float>()[i]));
      for (const float more : {0x1p-12F, -0x1p-12F}) {
        for (std::int64_t i = 0; i < before.count(); ++i) tensor(value).as<float>()[i] += more * largest;
        CHECK(wrong() == before.count());
        counts["output"].planted += static_cast<int>(before.count());
        tensor(value) = before.clone();
      }
      return;
    }
    const ir::Node* node = graph().producer(value);
    while (node != nullptr && node->op->name == "reshape") node = graph().producer(node->operands[0]);
    REQUIRE(node != nullptr);
    const std::string kind = "integers of " + node->op->name;
    CAPTURE(kind);
    plant_all(value, kind, wrong);
    for (const int more : {1, -1}) {
      for (std::int64_t i = 0; i < before.count(); ++i) {
        if (distance(value, i, more) >= near || !add(tensor(value), i, more)) continue;
        count(kind, false, wrong() > 0);
        tensor(value) = before.clone();
        if (counts[kind].near > 200) break;
      }
    }
  }

  JudgedRun* trial_ = nullptr;
  std::uint64_t seed_ = 0, draws_ = 0;
  std::set<std::pair<std::string, std::string>> found_;  // of the constants: node, and what is wrong
};

// Everything that integers are made of, once.
ir::Graph net_of_everything() {
  tests::ModelBuilder m({2, 2, 6, 6});
  const ValueId input = m.batch_norm(m.input());
  const ValueId a = m.op("relu6", {m.batch_norm(m.conv(input, {.out = 3}))});
  const ValueId b = m.op("gelu", {m.conv(input, {.out = 3, .bias = true})});
  const ValueId c = m.op("relu", {m.op("add", {a, b})});
  const ValueId d = m.op("sub", {m.op("mul", {c, b}), m.op("leaky_relu", {a})});
  const ValueId e = m.op("avg_pool", {m.batch_norm(m.op("concat", {d, c}))}, {{"kernel", std::vector<std::int64_t>{2, 2}}});
  const ValueId f = m.op("relu", {m.batch_norm(m.linear(m.op("flatten", {e}), 7))});
  return m.finish(m.linear(f, 5));
}

ir::Graph small_net() {
  tests::ModelBuilder m({2, 2, 6, 6});
  const ValueId a = m.op("relu", {m.batch_norm(m.conv(m.input(), {.out = 3}))});
  const ValueId b = m.op("tanh", {m.conv(a, {.out = 3, .bias = true})});
  return m.finish(m.linear(m.op("flatten", {b}), 5));
}

// The scale and zero point of all that the quantizer's histogram holds; nullopt where it has none.
std::optional<std::pair<float, std::int32_t>> of_whole_range(const JudgedRun& trial, const passes::Integers& its) {
  const ir::Graph& graph = trial.simulated;
  const ir::Node* affine = graph.producer(graph.producer(its.value)->operand(1));
  const ir::Node* range = affine == nullptr ? nullptr : graph.producer(affine->operand(0));
  if (range == nullptr || graph.state(range->operands.front()) == nullptr) return std::nullopt;
  const runtime::Tensor& histogram = trial.run.states.at(graph.value(range->operands.front()).name);
  if (histogram.count() != ir::histogram::bins) return std::nullopt;
  double low = 0;
  double high = 0;
  for (std::int64_t bin = 0; bin < ir::histogram::bins; ++bin) {
    if (histogram.as<float>()[bin] == 0) continue;
    low = std::min(low, ir::histogram::low_edge(bin));
    high = std::max(high, ir::histogram::high_edge(bin));
  }
  const auto lo = static_cast<double>(affine->attributes.integer("lo"));
  const auto hi = static_cast<double>(affine->attributes.integer("hi"));
  const bool symmetric = affine->attributes.boolean("symmetric");
  const double scale = symmetric ? std::max(-low, high) / hi : (high - low) / (hi - lo);
  return std::pair{static_cast<float>(scale), static_cast<std::int32_t>(symmetric ? 0 : std::nearbyint(lo - low / scale))};
}

// What lies nearer to a tie stands apart.
void list(const Planter& planter) {
  std::string text;
  for (const auto& [kind, count] : planter.counts) {
    text += "\n  " + kind + ": " + std::to_string(count.planted) + "; nearer to a tie " + std::to_string(count.near) + ", of which " +
            std::to_string(count.near_found) + " found";
  }
  MESSAGE("planted errors" << text);
}

}  // namespace

TEST_CASE("planted errors are found in every kind of constant and of integers") {
  Planter planter;
  int tried = 0;
  for (const char* recipe :
       {R"({"batch_norm": {"fold": "weight"}, "estimator": "plain"})", R"({"requantization": "fixed_point", "quantize_output": true})",
        R"({"requantization": "power_of_two", "bias": "float32", "quantize_output": true})", R"("int8")",
        R"({"bias": "float32", "quantize_output": true})", R"({"requantization": "fixed_point", "bias": "float32"})",
        R"({"requantization": "power_of_two"})",
        R"({"weights": {"granularity": "per_tensor", "bits": 3}, "activations": {"bits": 4, "symmetric": true}})", R"("binaryconnect")"}) {
    JudgedRun trial(net_of_everything(), recipe, 3);
    planter.plant(recipe, trial, 3);
    if (tests::slow_build() && ++tried == 3) break;
  }
  list(planter);
}

TEST_CASE("planted errors are found in what normalizes rows (N-SOFTMAX, N-NORM)") {
  Planter planter;
  for (const char* recipe : {R"("int8")", R"({"requantization": "fixed_point", "quantize_output": true})",
                             R"({"requantization": "power_of_two", "activations": {"bits": 5, "symmetric": true}})"}) {
    JudgedRun trial(tests::small_attention_net(2), recipe, 3);
    planter.plant(recipe, trial, 3);
    if (tests::slow_build()) break;
  }
  for (const std::uint64_t seed : tests::seeds(4)) {
    INFO(tests::replay(seed));
    JudgedRun trial(tests::random_attention_net(seed, 2), R"("int8")", seed);
    planter.plant("random", trial, seed);
  }
  list(planter);
}

TEST_CASE("planted errors are found in random networks under random recipes") {
  Planter planter;
  for (const std::uint64_t seed : tests::seeds(10)) {
    INFO(tests::replay(seed));
    const std::string recipe = tests::random_recipe(seed);
    JudgedRun trial(seed % 3 == 2 ? tests::random_moving_net(seed, 2) : tests::random_net(seed, 2), recipe, seed);
    planter.plant(recipe, trial, seed);
  }
  list(planter);
}

TEST_CASE("planted errors are found in ranges that follow from histograms (N-HISTOGRAM)") {
  Planter planter;
  int planted = 0;
  for (const char* recipe :
       {R"({"activations": {"observer": "percentile", "percentile": 95}})",
        R"({"activations": {"observer": "percentile", "percentile": 100, "symmetric": true}})",
        R"({"activations": {"observer": "mse", "bits": 4}})", R"({"activations": {"observer": "mse", "bits": 3, "symmetric": true}})",
        R"({"activations": {"observer": "percentile", "percentile": 90}, "requantization": "power_of_two"})"}) {
    JudgedRun trial(small_net(), recipe, 5);
    planter.plant(recipe, trial, 5);
    // The range of all that was seen, where another was chosen.
    for (const passes::Integers& its : trial.realized.integers) {
      const auto whole = of_whole_range(trial, its);
      if (!whole || whole->first < 1.1F * *trial.values.at(its.scale).as<float>()) continue;
      const float scale = std::exchange(*trial.values.at(its.scale).as<float>(), whole->first);
      const std::int32_t zero_point = std::exchange(*trial.values.at(its.zero_point).as<std::int32_t>(), whole->second);
      CHECK(tests::wrong(trial.judge_constants(), "scale") == 1);
      *trial.values.at(its.scale).as<float>() = scale;
      *trial.values.at(its.zero_point).as<std::int32_t>() = zero_point;
      ++planted;
    }
    if (tests::slow_build() && planted > 5) break;
  }
  CHECK(planted > 5);
  list(planter);
}
