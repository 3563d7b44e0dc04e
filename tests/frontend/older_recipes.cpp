#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "ir/op.h"
#include "runtime/artifact.h"
#include "runtime/file.h"
#include "runtime/safetensors.h"
#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"

// Checkpoints of before the recipe had `normalization`: no quantizer has watched what stands before softmax, which ran in float.

using namespace stair;
using ir::Json;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

constexpr const char* older_format = "staircase checkpoint";

Json experiment_with_softmax(const Json& recipe) {
  Json experiment = tests::small_experiment();
  experiment["model"] = Json::parse(R"({
    "input": {"shape": [1, 12, 12]},
    "layers": [
      {"op": "flatten", "name": "flat"},
      {"op": "linear", "name": "a", "features": 12},
      {"op": "softmax", "name": "shares"},
      {"op": "linear", "name": "b", "features": 4}
    ]})");
  experiment["stages"].erase(1);
  experiment["recipe"] = recipe;
  return experiment;
}

// As the program wrote it that knew no such key, in the course of an experiment of more epochs.
void forget_normalization(const std::string& path, Json& experiment) {
  runtime::Safetensors contents = runtime::from_safetensors(runtime::read_file(path), path, older_format, 1);
  Json recipe = Json::parse(contents.metadata["recipe"]);
  REQUIRE(recipe.erase("normalization") == 1);
  contents.metadata["recipe"] = recipe.dump();
  experiment = Json::parse(contents.metadata["experiment"]);
  experiment["stages"].back()["epochs"] = 3;
  experiment["recipe"].erase("normalization");
  contents.metadata["experiment"] = experiment.dump();
  runtime::write_file(path, runtime::to_safetensors(contents, older_format, 1));
}

bool has_op(const std::string& artifact, const char* op) {
  const runtime::Artifact loaded = runtime::load_artifact(artifact);
  return std::any_of(loaded.graph.nodes().begin(), loaded.graph.nodes().end(), [&](const ir::Node& node) { return is(node, op); });
}

}  // namespace

TEST_CASE("a checkpoint of before N-SOFTMAX is exported and trains on: in float where nothing watches any more") {
  for (const bool frozen : {false, true}) {
    CAPTURE(frozen);
    const TemporaryFolder folder;
    tests::write_experiment(folder);
    Json recipe = Json::parse(R"({"base": "int8", "normalization": "float"})");
    if (frozen) recipe["schedule"] = {{"freeze_observers_epoch", 1}};
    folder.write("e.json", experiment_with_softmax(recipe).dump());
    tests::Outcome outcome = run_stair({"train", "e.json", "--run", "run", "--quiet"}, folder.path());
    CHECK(outcome.err == "");
    REQUIRE(outcome.code == 0);
    CHECK(has_op(folder / "run/qat.stair", "softmax"));
    Json longer;
    forget_normalization(folder / "run/last.safetensors", longer);

    outcome = run_stair({"export", "run", "-o", "old.stair"}, folder.path());
    CHECK(outcome.err == "");
    CHECK(has_op(folder / "old.stair", "softmax"));
    CHECK(run_stair({"verify", "run", "old.stair", "--backend", "reference", "--threads", "1"}, folder.path()).code == 0);

    folder.write("e.json", longer.dump());
    for (int resumed = 0; resumed < 2; ++resumed) {
      CAPTURE(resumed);
      outcome = run_stair({"train", "e.json", "--run", "run", "--resume", "--quiet"}, folder.path());
      CHECK(outcome.err == "");
      REQUIRE(outcome.code == 0);
      CHECK(has_op(folder / "run/qat.stair", "softmax_integer") == !frozen);
      CHECK(run_stair({"verify", "run", "run/qat.stair", "--backend", "reference", "--threads", "1"}, folder.path()).code == 0);
    }
  }
}
