// Stages with recipes of their own.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "frontend/readers/experiment.h"
#include "frontend/readers/settings.h"
#include "frontend/readers/trained.h"
#include "frontend/stages/run.h"
#include "ir/error.h"
#include "runtime/artifact.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using ir::Json;

namespace {

const char* const four_bits = R"({"weights": {"method": "lsq", "bits": 4}, "activations": {"bits": 4, "observer": "lsq"}})";

// Float, then qat with learned steps on 8 bits, then twice on 4.
Json shrinking() {
  Json json = tests::small_experiment();
  json["stages"].erase(1);
  Json qat = json["stages"][1];
  json["stages"][0]["epochs"] = qat["epochs"] = 1;
  json["stages"].erase(1);
  for (const char* name : {"eight", "four", "more"}) {
    qat["name"] = name;
    qat["recipe"] = Json::parse(four_bits);
    if (std::string(name) == "eight") qat["recipe"]["weights"]["bits"] = qat["recipe"]["activations"]["bits"] = 8;
    if (std::string(name) == "more") qat["recipe"]["schedule"]["freeze_batch_norm_epoch"] = 0;
    json["stages"].push_back(qat);
  }
  return json;
}

std::string error_of(const Json& json, void (*check)(const readers::Experiment&)) {
  try {
    check(readers::read_experiment(json, "e.json", "/data"));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

void run_in(const tests::TemporaryFolder& folder, const Json& json, bool resume) {
  stages::RunOptions options;
  options.folder = folder / "run";
  options.quiet = true;
  options.resume = resume;
  const bool finished = stages::run_experiment(readers::read_experiment(json, "e.json", folder.path()), options).finished;
  REQUIRE(finished);
}

}  // namespace

TEST_CASE("a stage's recipe is what it trains, evaluates and exports with; learned steps begin anew where quantizers change") {
  const tests::TemporaryFolder folder;
  tests::write_experiment(folder);
  run_in(folder, shrinking(), false);
  const auto of = [&](const std::string& stage) { return readers::load_trained(folder / ("run/" + stage + ".safetensors")); };
  const readers::Trained eight = of("eight");
  const readers::Trained four = of("four");
  const readers::Trained more = of("more");
  CHECK(eight.recipe.weights().integer("bits") == 8);
  CHECK(four.recipe.weights().integer("bits") == 4);
  CHECK(four.recipe.freeze_batch_norm_epoch() < 0);
  CHECK(more.recipe.freeze_batch_norm_epoch() == 0);
  const auto step = [](const readers::Trained& trained, const char* state) { return *trained.checkpoint.states.at(state).as<float>(); };
  for (const char* state : {"fc.weight.step", "relu.step", "x.step"}) {
    CAPTURE(std::string(state));
    // 2 * mean / sqrt(hi): 4.2 times as much for 7 as for 127, 4.1 times for 15 as for 255. Adam's rate moves a step little.
    CHECK(step(four, state) / step(eight, state) > 2);
    CHECK(step(more, state) / step(four, state) == doctest::Approx(1).epsilon(0.5));  // another schedule: they go on
  }
  const auto bits = [&](const std::string& stage) {
    const runtime::Artifact artifact = runtime::load_artifact(folder / ("run/" + stage + ".stair"));
    std::int64_t most = 0;
    for (const ir::State& state : artifact.graph.states()) {
      if (state.attributes.has("bits")) most = std::max(most, state.attributes.integer("bits"));
    }
    return most;
  };
  CHECK(bits("four") == 4);
  CHECK(bits("eight") != 4);

  // From the end of a stage on, with the recipe of the next one.
  const std::string whole = folder.read("run/more.safetensors");
  std::filesystem::copy_file(folder / "run/eight.safetensors", folder / "run/last.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  run_in(folder, shrinking(), true);
  CHECK((folder.read("run/more.safetensors") == whole));
}

TEST_CASE("calibrating a checkpoint keeps the steps that its recipe's quantizers have learned, and begins anew with others") {
  const tests::TemporaryFolder folder;
  tests::write_experiment(folder);
  Json json = shrinking();
  json["stages"].erase(3);
  json["stages"].erase(2);
  run_in(folder, json, false);
  const auto step_after = [&](const std::string& recipe) {
    const tests::Outcome outcome = tests::run_stair(
        {"calibrate", "run/eight.safetensors", "-o", "ptq.safetensors", "--batches", "1", "--recipe", recipe}, folder.path());
    CHECK_MESSAGE(outcome.code == 0, outcome.err);
    return *readers::load_trained(folder / "ptq.safetensors").checkpoint.states.at("fc.weight.step").as<float>();
  };
  const float learned = *readers::load_trained(folder / "run/eight.safetensors").checkpoint.states.at("fc.weight.step").as<float>();
  CHECK(step_after(R"({"weights": {"method": "lsq"}, "activations": {"observer": "lsq"}})") == learned);
  CHECK(step_after(four_bits) > 2 * learned);
}

TEST_CASE("a float stage behind a quantized one is evaluated in float") {
  const tests::TemporaryFolder folder;
  tests::write_experiment(folder);
  Json json = shrinking();
  json["stages"].erase(3);
  json["stages"].erase(2);
  std::swap(json["stages"][0], json["stages"][1]);
  run_in(folder, json, false);
  CHECK(readers::load_trained(folder / "run/eight.safetensors").quantized);
  CHECK(!readers::load_trained(folder / "run/float.safetensors").quantized);
}

TEST_CASE("faults in a stage's recipe are told at its place") {
  const auto check_nothing = [](const readers::Experiment&) {};
  Json json = shrinking();
  json["stages"][2]["recipe"]["weights"]["bits"] = 9;
  CHECK(error_of(json, check_nothing).starts_with("e.json /stages/2/recipe/weights/bits: found 9"));
  json = shrinking();
  json["stages"][0]["recipe"] = "int8";
  CHECK(error_of(json, check_nothing).starts_with("e.json /stages/0/recipe: "));
  json = shrinking();
  json["stages"][1]["recipe"] = "int9";
  CHECK(error_of(json, check_nothing).starts_with("e.json /stages/1/recipe: "));
}

TEST_CASE("what a stage's recipe says without any effect is refused at its place") {
  CHECK(error_of(shrinking(), readers::check_settings) == "");
  Json json = shrinking();
  json["recipe"] = "int8";
  CHECK(error_of(json, readers::check_settings) == "e.json /recipe: has no effect: every stage that quantizes has a recipe of its own");
  json["stages"][3].erase("recipe");
  CHECK(error_of(json, readers::check_settings) == "");
  json = shrinking();
  json["stages"][3]["recipe"]["overrides"] = Json::parse(R"([{"pattern": "fd", "weight_bits": 3}])");
  CHECK(error_of(json, readers::check_settings).starts_with("e.json /stages/3/recipe/overrides/0/pattern: found 'fd', which matches no"));
  json = shrinking();
  json["stages"][2]["recipe"]["schedule"]["freeze_observers_epoch"] = 0.5;
  CHECK(error_of(json, readers::check_settings) ==
        "e.json /stages/2/recipe/schedule/freeze_observers_epoch: found 0.5, which has no effect: no range is observed");
  json = shrinking();
  json["stages"][1] = Json::parse(R"({"kind": "calibrate"})");
  json["recipe"] = Json::parse(R"({"schedule": {"freeze_observers_epoch": 1}})");
  CHECK(error_of(json, readers::check_settings) ==
        "e.json /recipe/schedule/freeze_observers_epoch: found 1, which has no effect: the qat stages have recipes of their own");
  json = shrinking();
  json["stages"][2]["recipe"]["schedule"]["freeze_batch_norm_epoch"] = 3;
  CHECK(error_of(json, [](const readers::Experiment& experiment) {
          readers::check_schedule_reach(experiment, 12);
        }).starts_with("e.json /stages/2/recipe/schedule/freeze_batch_norm_epoch: found 3, which no qat stage reaches"));
}

TEST_CASE("observers that are frozen from a stage's begin need ranges of its own recipe") {
  const tests::TemporaryFolder folder;
  tests::write_experiment(folder);
  Json json = shrinking();
  json["stages"].erase(3);
  json["stages"][1]["recipe"] = Json::parse(R"({"activations": {"observer": "min_max"}})");
  json["stages"][2]["recipe"] = Json::parse(R"({"schedule": {"freeze_observers_epoch": 0}})");
  run_in(folder, json, false);  // moving averages begin with extremes
  json["stages"][2]["recipe"]["activations"]["observer"] = "percentile";
  std::filesystem::remove_all(folder / "run");
  CHECK_THROWS_WITH_AS(run_in(folder, json, false),
                       "e.json /stages/2/recipe/schedule/freeze_observers_epoch: found 0, but the quantizer of 'x' has seen nothing "
                       "when the stage 'four' begins; expected a calibrate stage before it, a 'start' with ranges, or a later epoch",
                       Error);
}
