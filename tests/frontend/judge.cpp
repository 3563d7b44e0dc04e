#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "frontend/verification/op_judge.h"
#include "frontend/verification/verification_report.h"
#include "ir/op.h"
#include "tests/frontend/judged_run.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"
#include "tests/support/renamed_ops.h"
#include "tests/support/seeds.h"

using namespace stair;

TEST_CASE("equal pictures tie together, and the judge knows a tie") {
  // Brightest byte 254: each byte of 127 lies at exactly 127.5 steps.
  tests::QuantizedRun run = tests::quantized_run(tests::small_lenet(2), R"("int8")", 2, 1);
  *run.states.find("x.min")->second.as<float>() = 0;
  *run.states.find("x.max")->second.as<float>() = 254.0F / 255;
  run.deployment = frontend::deploy(run.model, run.recipe, run.states);
  runtime::Tensor images(run.model.type(run.model.inputs().front()));
  for (std::int64_t i = 0; i < images.count(); ++i) images.as<float>()[i] = static_cast<float>(i % 7 == 0 ? 127 : i % 255) / 255;
  const verification::VerifyBatches batches = [&](std::int64_t) { return verification::VerifyBatch{{images.view()}, 2}; };
  const verification::Verification report =
      verification::verify(run.model, run.recipe, run.states, run.deployment.graph, run.deployment.constants, batches, 1, {});
  INFO(verification::describe(report));
  CHECK(report.holds());
}

TEST_CASE("a transposed convolution is quantized, proven, realized and verified as other sums are") {
  tests::ModelBuilder model({3, 3, 6, 6});
  ir::ValueId x = model.block(model.input(), {.out = 6, .stride = 2});
  x = model.op("relu", {model.batch_norm(model.conv(x, {.out = 4, .kernel = 4, .stride = 2, .groups = 2, .transposed = true}))});
  x = model.op("relu6", {model.conv(x, {.out = 3, .stride = 2, .padding = {1, 0, 0, 1}, .bias = true, .transposed = true})});
  x = model.conv(x, {.out = 3, .kernel = 2, .padding = {0, 0, 0, 0}, .bias = true, .transposed = true});
  const ir::Graph net = model.finish(model.linear(model.op("flatten", {x}), 5));
  for (const char* recipe : {R"("int8")", R"("jacob2017")", R"({"requantization": "power_of_two"})", R"({"weights": {"bits": 3}})",
                             R"({"bias": "float32", "batch_norm": {"fold": "weight"}})", R"("binaryconnect")"}) {
    CAPTURE(std::string(recipe));
    tests::QuantizedRun run = tests::quantized_run(net, recipe, 2, 1);
    const auto sums = std::count_if(run.deployment.graph.nodes().begin(), run.deployment.graph.nodes().end(),
                                    [](const ir::Node& node) { return is(node, "conv_transpose2d_integer"); });
    CHECK(sums == (std::string(recipe) == R"("binaryconnect")" ? 0 : 3));
    const verification::Verification report = tests::verify_run(run);
    INFO(verification::describe(report));
    CHECK(report.holds());
  }
}

TEST_CASE("an attention block is integers from its quantizer to the logits, under every requantization") {
  for (const char* recipe :
       {R"("int8")", R"("jacob2017")", R"({"requantization": "fixed_point"})", R"({"requantization": "power_of_two", "bias": "float32"})",
        R"({"activations": {"bits": 4}, "weights": {"bits": 4}, "quantize_output": true})", R"({"activations": {"observer": "lsq"}})"}) {
    CAPTURE(std::string(recipe));
    tests::QuantizedRun run = tests::quantized_run(tests::small_attention_net(4), recipe, 3, 1);
    const std::string last = run.recipe.quantizes_output() ? "dequantize" : "dequantize_accumulator";
    std::map<std::string, int> ops;
    for (const ir::Node& node : run.deployment.graph.nodes()) {
      ++ops[node.op->name];
      if (ir::is_float(run.deployment.graph.type(node.results.front()).dtype)) CHECK(node.op->name == last);
    }
    CHECK(ops["softmax_integer"] == 1);
    CHECK(ops["layer_norm_integer"] == 2);
    CHECK(ops["matmul_integer"] == 2);
    CHECK(ops[last] == 1);
    const verification::Verification report = tests::verify_run(run);
    INFO(verification::describe(report));
    CHECK(report.holds());
  }
}

TEST_CASE("what normalizes rows has a bound of its floats") {
  for (const std::uint64_t seed : tests::seeds(6)) {
    INFO(tests::replay(seed));
    for (const char* recipe : {R"({"normalization": "float"})", R"("binaryconnect")"}) {
      CAPTURE(std::string(recipe));
      tests::QuantizedRun run = tests::quantized_run(tests::random_attention_net(seed, 3), recipe, 2, seed);
      const verification::Verification report = tests::verify_run(run);
      INFO(verification::describe(report));
      CHECK(report.holds());
    }
  }
}

TEST_CASE("every op that simulates a quantizer has a judge of its weights") {
  for (const std::string& name : ir::op_registry().names()) {
    if (ir::op_registry().find(name)->integer.kind != ir::IntegerForm::Kind::quantizer) continue;
    const verification::OpJudge* judge = verification::op_judges().find(name);
    CHECK_MESSAGE((judge != nullptr && judge->weights), name);
  }
}

TEST_CASE("with all ops renamed but those that have a judge, verify judges the same") {
  std::set<std::string, std::less<>> judged;
  for (const std::string& name : verification::op_judges().names()) {
    CHECK_MESSAGE(ir::op_registry().find(name) != nullptr, name);
    judged.insert(name);
  }
  const auto text = [](const std::vector<verification::Judgement>& judgements) {
    std::string all;
    for (const verification::Judgement& j : judgements) {
      all += j.node + " " + j.what + " " + std::to_string(j.value) + " " + std::to_string(j.elements) + " " + std::to_string(j.near_ties) +
             " " + std::to_string(j.wrong) + "\n";
    }
    return all;
  };
  std::vector<ir::Graph> networks{tests::small_lenet(2), tests::small_preactivation_net(2)};
  if (!tests::slow_build()) networks.push_back(tests::small_mixed_net(2));
  for (const char* recipe :
       {R"("int8")", R"({"requantization": "fixed_point", "quantize_output": true, "weights": {"method": "lsq"}})",
        R"({"activations": {"observer": "mse", "bits": 4}, "weights": {"method": "ternary"}})", R"("binaryconnect")"}) {
    for (const ir::Graph& model : networks) {
      CAPTURE(std::string(recipe));
      tests::JudgedRun trial(model, recipe, 1);
      std::optional<verification::Judge> judge;
      {
        const tests::RenamedOps ops(judged);
        judge.emplace(trial.simulated, trial.realized, trial.run.states, 1);
      }
      std::vector<verification::Judgement> constants, images;
      judge->judge_constants(trial.source(), constants);
      judge->judge(std::vector{trial.images.view()}, trial.source(), 0, 2, images);
      CHECK(!constants.empty());
      CHECK(text(constants) == text(trial.judge_constants()));
      CHECK(text(images) == text(trial.judge_images()));
      CHECK(tests::wrong(constants) + tests::wrong(images) == 0);
    }
  }
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
      const verification::Verification report = tests::verify_run(run);
      INFO(verification::describe(report));
      CHECK(report.holds());
    }
  }
}
