#include "frontend/verification/verification.h"

#include <doctest/doctest.h>

#include "frontend/verification/verification_report.h"
#include "ir/error.h"
#include "ir/text.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"
#include "tests/support/seeds.h"

using namespace stair;
using tests::QuantizedRun;

namespace {

void check_holds(const verification::Verification& report) {
  INFO(verification::describe(report));
  CHECK(report.holds());
  CHECK(report.mismatches() == 0);
  CHECK(report.wrong() == 0);
  CHECK(report.elements() > 1000);
  CHECK(report.judged() > 1000);
  CHECK(report.behind_floats.empty());
}

QuantizedRun trained_lenet() {
  return tests::quantized_run(tests::small_lenet(8), R"("int8")", 3);
}

const char* const recipes[] = {
    R"("int8")",
    R"("classic")",
    R"({"base": "jacob2017", "schedule": {"activation_delay_steps": 0}})",
    R"({"bias": "float32"})",
    R"({"batch_norm": {"fold": "weight"}})",
    R"({"batch_norm": {"fold": "weight"}, "bias": "float32"})",
    R"({"requantization": "fixed_point"})",
    R"({"requantization": "fixed_point", "bias": "float32"})",
    R"({"requantization": "fixed_point", "batch_norm": {"fold": "weight"}, "quantize_output": true})",
    R"({"requantization": "power_of_two"})",
    R"({"requantization": "power_of_two", "bias": "float32"})",
    R"({"weights": {"bits": 2}, "activations": {"bits": 2}})",
    R"({"weights": {"bits": 4}, "activations": {"bits": 5, "symmetric": true, "observer": "min_max"}, "quantize_output": true})",
    R"({"weights": {"granularity": "per_tensor", "narrow_range": false}, "backward": "latent", "estimator": "plain"})",
};

}  // namespace

TEST_CASE("deployed integers are those of training under every recipe") {
  const std::size_t step = tests::slow_build() ? 4 : 1;
  for (std::size_t i = 0; i < std::size(recipes); i += step) {
    const char* const recipe = recipes[i];
    CAPTURE(std::string(recipe));
    QuantizedRun lenet = tests::quantized_run(tests::small_lenet(8), recipe, 3);
    check_holds(tests::verify_run(lenet));
    QuantizedRun mixed = tests::quantized_run(tests::small_mixed_net(6), recipe, 3);
    check_holds(tests::verify_run(mixed));
    QuantizedRun preactivation = tests::quantized_run(tests::small_preactivation_net(6), recipe, 3);
    check_holds(tests::verify_run(preactivation));
  }
}

TEST_CASE("a changed weight integer is found, at its node") {
  QuantizedRun run = trained_lenet();
  auto& weights = run.deployment.constants.find("conv_2.weight.fitted")->second;
  weights.as<std::int8_t>()[5] = static_cast<std::int8_t>(weights.as<std::int8_t>()[5] > 0 ? -20 : 20);
  const verification::Verification report = tests::verify_run(run);
  CHECK(!report.holds());
  REQUIRE(report.integers.front().first);
  CHECK(report.integers.front().first->node == "conv_2.weight.fitted");
  CHECK(report.integers.front().first->index == 5);
  REQUIRE(report.integers[1].first);
  CHECK(report.integers[1].first->node == "relu_2.fq.q");  // the last node of the step that sums
  CHECK(report.integers[1].first->expected != report.integers[1].first->found);
}

TEST_CASE("a changed zero point is found") {
  QuantizedRun run = trained_lenet();
  ++*run.deployment.constants.find("x.scale.zero_point")->second.as<std::int32_t>();
  const verification::Verification report = tests::verify_run(run);
  CHECK(!report.holds());
  CHECK(report.integers.front().first->node == "x.scale.zero_point");
}

TEST_CASE("another rounding rule is found: by the integers, and by the double-precision floats") {
  QuantizedRun run = trained_lenet();
  const passes::Recipe fixed = passes::recipe_from_json(R"({"requantization": "fixed_point"})");
  run.deployment = frontend::deploy(run.model, fixed, run.states);
  CHECK_THROWS_AS(tests::verify_run(run), Error);  // the artifact isn't of this recipe: its nodes are unknown to training
}

TEST_CASE("skipped layers run in float, and what is behind their sums is named instead of compared") {
  QuantizedRun run = tests::quantized_run(tests::small_lenet(8), R"({"overrides": [{"pattern": "conv_2", "skip": true}]})", 3);
  const verification::Verification report = tests::verify_run(run);
  INFO(verification::describe(report));
  CHECK(report.holds());
  CHECK(!report.behind_floats.empty());
}

TEST_CASE("an output of another type than in training is refused, also behind sums of floats") {
  for (const char* recipe : {R"("int8")", R"("binaryconnect")"}) {
    CAPTURE(std::string(recipe));
    QuantizedRun run = tests::quantized_run(tests::small_lenet(8), recipe, 3);
    // The same name for half of the classes: who trusts the name reads beyond them.
    std::string text = ir::print(run.deployment.graph);
    text.insert(text.find("%fc_2 = ") + 1, "all_");
    text.insert(text.find("output logits"), "%fc_2 = slice(%all_fc_2) {axes=[1], starts=[0], ends=[5]} : f32[1,5]\n");
    run.deployment.graph = ir::parse(text, "artifact");
    CHECK_THROWS_WITH_AS(tests::verify_run(run), "the artifact's 'fc_2' is f32[8,5], training has f32[8,10]", Error);
  }
}

TEST_CASE("weight-only methods verify their weights exactly and their outputs within the stated bound") {
  for (const char* recipe : {R"("binaryconnect")", R"("binaryconnect_stochastic")"}) {
    CAPTURE(std::string(recipe));
    QuantizedRun run = tests::quantized_run(tests::small_lenet(8), recipe, 3);
    const verification::Verification report = tests::verify_run(run);
    INFO(verification::describe(report));
    CHECK(report.holds());
  }
}

TEST_CASE("a quantizer that has seen no data is an error, not an artifact") {
  ir::Graph model = tests::small_lenet(4);
  runtime::Tensors states;
  runtime::initialize_states(model, 0, states);
  const passes::Recipe recipe = passes::recipe_from_json(R"("int8")");
  const ir::Graph constants = passes::run(passes::deployment_constants(recipe), model);
  runtime::initialize_states(constants, 0, states);
  CHECK_THROWS_WITH_AS(frontend::deploy(model, recipe, states),
                       "the quantizer of 'x' has seen no data, expected a checkpoint of a calibrate or qat stage with this recipe", Error);
}
