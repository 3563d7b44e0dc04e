#include "frontend/judge.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "frontend/verification_report.h"
#include "ir/op.h"
#include "ir/random.h"
#include "passes/analysis.h"
#include "passes/outputs.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"
#include "tests/support/random_recipe.h"
#include "tests/support/seeds.h"

using namespace stair;
using ir::ValueId;

namespace {

// The integers of a trained network on random images, as its own graph computes them, for a judge to look at: with errors planted, or
// without.
struct Trial {
  tests::QuantizedRun run;
  ir::Graph simulated;
  passes::Result realized;
  runtime::Tensor images;
  std::map<ValueId, runtime::Tensor> values;
  std::vector<ValueId> constants, activations;
  std::optional<driver::Judge> judge;

  Trial(std::uint64_t seed, const std::string& recipe, ir::Graph model) : run(tests::quantized_run(std::move(model), recipe, 2, seed)) {
    simulated = passes::run(passes::simulated_evaluation(run.recipe), run.model);
    for (const passes::Step& step : passes::quantized_evaluation(run.recipe)) {
      if (step.pass == "realize_integers") realized = passes::run(step, simulated);
    }
    images = tests::random_images(run.model.type(run.model.inputs().front()), seed + 99);
    const driver::Judge reader(simulated, realized, run.states, 1);
    constants = reader.constants();
    activations = reader.activations();
    std::vector<ValueId> all = constants;
    all.insert(all.end(), activations.begin(), activations.end());
    runtime::Executor executor = driver::executor_for(passes::with_outputs(realized.graph, all), run.states, {});
    const ir::TensorView view = images.view();
    executor.run({&view, 1});
    for (const ValueId value : all) {
      runtime::Tensor copy(realized.graph.type(value));
      const ir::TensorView its = executor.output(realized.graph.value(value).name);
      std::copy_n(its.as<char>(), copy.bytes(), copy.as<char>());
      values.emplace(value, std::move(copy));
    }
  }

  driver::Judge::Values source() {
    return [this](ValueId value) { return values.at(value).view(); };
  }
  bool rescales(ValueId value) const {
    const std::set<std::string> readers{"requantize", "requantize_fixed", "fixed_multiplier"};
    for (const ir::Node& node : realized.graph.nodes()) {
      const bool reads = std::find(node.operands.begin(), node.operands.end(), value) != node.operands.end();
      if (reads && readers.contains(node.op->name)) return true;
    }
    return false;
  }
  std::int64_t wrong_constants(std::vector<driver::Judgement>* all = nullptr) {
    if (!judge) judge.emplace(simulated, realized, run.states, 1);
    std::vector<driver::Judgement> judgements;
    judge->judge_constants(source(), judgements);
    std::int64_t wrong = 0;
    for (const driver::Judgement& j : judgements) wrong += j.wrong;
    if (all != nullptr) *all = std::move(judgements);
    return wrong;
  }
};

std::int64_t at(const runtime::Tensor& tensor, std::int64_t i) {
  if (tensor.type().dtype == ir::DType::u8) return tensor.as<std::uint8_t>()[i];
  return tensor.type().dtype == ir::DType::s8 ? tensor.as<std::int8_t>()[i] : tensor.as<std::int32_t>()[i];
}

// Adds to an integer. False where its type doesn't hold the sum.
bool plant(runtime::Tensor& tensor, std::int64_t i, std::int64_t more) {
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

std::string text_of(const std::vector<driver::Judgement>& judgements) {
  std::string text;
  for (const driver::Judgement& j : judgements) {
    if (j.wrong == 0) continue;
    text += j.node + ": " + j.what + ": " + std::to_string(j.wrong) + " of " + std::to_string(j.elements);
    if (j.first) {
      text += ", first " + std::to_string(j.first->index) + ": expected " + std::to_string(j.first->expected) + ", found " +
              std::to_string(j.first->found);
    }
    text += "\n";
  }
  return text;
}

const std::set<std::string> judged_ops{"quantize", "binarize",    "fit_channels",          "affine_parameters",  "fixed_multiplier",
                                       "tabulate", "clamp_range", "add_fixed_multipliers", "average_multiplier", "div"};

}  // namespace

TEST_CASE("planted errors are found: in weights, biases, multipliers, tables, zero points, ranges, and in the integers themselves") {
  std::map<std::string, int> planted;
  std::map<std::string, int> missed;
  std::map<std::string, int> ties;
  // Of a step up and a step down one at most leads to a tie, where either is right; with powers of two ties are common.
  const auto count = [&](const std::string& what, int tried, int found) {
    planted[what] += tried;
    if (found + 1 == tried) ++ties[what];
    if (found + 1 < tried) ++missed[what];
  };
  for (const std::uint64_t seed : tests::seeds(10)) {
    INFO(tests::replay(seed));
    const std::string recipe = tests::random_recipe(seed);
    CAPTURE(recipe);
    Trial trial(seed, recipe, tests::random_net(seed, 2));
    std::vector<driver::Judgement> judgements;
    const std::int64_t wrong = trial.wrong_constants(&judgements);
    INFO(text_of(judgements));
    REQUIRE(wrong == 0);

    std::uint64_t draws = 0;
    const auto pick = [&](std::int64_t n) {
      return static_cast<std::int64_t>(ir::random_bits(seed, 17, 0, draws++) % static_cast<std::uint64_t>(n));
    };
    for (const ValueId value : trial.constants) {
      const ir::Node* node = trial.realized.graph.producer(value);
      if (node == nullptr || !judged_ops.contains(node->op->name)) continue;
      if (node->op->name == "fit_channels" && trial.realized.graph.value(value).result == 4) continue;  // of training alone
      // Of quotients those that rescale; a batch-norm's factor is judged by what is made of it.
      if (node->op->name == "div" && !trial.rescales(value)) continue;
      runtime::Tensor& tensor = trial.values.at(value);
      const runtime::Tensor before = tensor.clone();
      std::int64_t i = pick(tensor.count());
      if (node->op->name == "tabulate") {
        const std::int64_t low = node->attributes.integer("x_lo");
        i = low + (low < 0 ? 128 : 0) + pick(node->attributes.integer("x_hi") - low + 1);
      }
      const std::string what = node->op->name + " " + std::to_string(trial.realized.graph.value(value).result);
      CAPTURE(what);
      if (ir::is_float(tensor.type().dtype)) {
        if (tensor.as<float>()[i] == 0) continue;
        tensor.as<float>()[i] *= 1.001F;
        count(what, 2, trial.wrong_constants() > 0 ? 2 : 0);
      } else {
        int found = 0;
        int tried = 0;
        for (const int more : {1, -1}) {
          if (!plant(tensor, i, more)) continue;
          ++tried;
          found += trial.wrong_constants() > 0 ? 1 : 0;
          tensor = before.clone();
        }
        count(what, tried, found);
      }
      tensor = before.clone();
    }

    driver::Judge of_images(trial.simulated, trial.realized, trial.run.states, 1);
    const auto judge_all = [&] {
      std::vector<driver::Judgement> found;
      of_images.judge(trial.images.view(), trial.source(), 0, 2, found);
      return found;
    };
    std::vector<driver::Judgement> clean = judge_all();
    INFO(text_of(clean));
    for (const driver::Judgement& j : clean) CHECK(j.wrong == 0);
    for (std::size_t n = 0; n < clean.size(); ++n) {
      runtime::Tensor& tensor = trial.values.at(clean[n].value);
      const runtime::Tensor before = tensor.clone();
      const std::int64_t i = pick(tensor.count());
      int found = 0;
      int tried = 0;
      for (const int more : {1, -1}) {
        if (ir::is_float(tensor.type().dtype)) {
          tensor.as<float>()[i] += 0.001F * static_cast<float>(more) * (1 + std::abs(tensor.as<float>()[i]));
        } else if (!plant(tensor, i, more)) {
          continue;
        }
        ++tried;
        found += judge_all()[n].wrong > 0 ? 1 : 0;
        tensor = before.clone();
      }
      count(clean[n].what, tried, found);
    }
  }
  for (const auto& [kind, number] : planted) {
    const std::string what = kind;
    const auto tries = number;
    CAPTURE(what);
    CAPTURE(tries);
    CHECK(missed[what] == 0);
    CHECK(ties[what] * 4 <= tries);
  }
  CHECK(planted.size() >= 8);
}

TEST_CASE("equal pictures tie together, and the judge knows a tie") {
  // Brightest byte 254: each byte of 127 lies at exactly 127.5 steps.
  ir::Graph model = tests::small_lenet(2);
  Trial trial(1, R"("int8")", std::move(model));
  runtime::Tensor& low = trial.run.states.find("x.min")->second;
  runtime::Tensor& high = trial.run.states.find("x.max")->second;
  *low.as<float>() = 0;
  *high.as<float>() = 254.0F / 255;
  trial.run.deployment = driver::deploy(trial.run.model, trial.run.recipe, trial.run.states);
  runtime::Tensor images(trial.images.type());
  for (std::int64_t i = 0; i < images.count(); ++i) images.as<float>()[i] = static_cast<float>(i % 7 == 0 ? 127 : i % 255) / 255;
  const driver::VerifyBatches batches = [&](std::int64_t) { return driver::VerifyBatch{images.view(), 2}; };
  const driver::Verification report = driver::verify(trial.run.model, trial.run.recipe, trial.run.states, trial.run.deployment.graph,
                                                     trial.run.deployment.constants, batches, 1, {});
  INFO(driver::describe(report));
  CHECK(report.holds());
}

TEST_CASE("every op that a model may have of floats has a bound") {
  // Networks whose layers all stay in float: outputs are judged on every backend.
  for (const std::uint64_t seed : tests::seeds(8)) {
    INFO(tests::replay(seed));
    const char* const recipes[] = {R"("binaryconnect")", R"({"overrides": [{"pattern": "conv*", "skip": true}]})",
                                   R"({"overrides": [{"pattern": "*", "skip": true}]})"};
    for (const char* recipe : recipes) {
      CAPTURE(std::string(recipe));
      tests::QuantizedRun run = tests::quantized_run(tests::random_net(seed, 3), recipe, 2, seed);
      const driver::Verification report = tests::verify_run(run);
      INFO(driver::describe(report));
      CHECK(report.holds());
    }
  }
}
