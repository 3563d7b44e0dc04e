#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "frontend/readers/experiment.h"
#include "frontend/readers/settings.h"
#include "frontend/stages/context.h"
#include "frontend/stages/run.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using stages::StageContext;

namespace {

// Halves all parameters: a stage that the program doesn't know.
bool halve(StageContext& context) {
  context.begin({});
  for (const ir::State& state : context.experiment.model.states()) {
    if (context.resumes || state.role != ir::StateRole::parameter) continue;
    const runtime::Tensor& tensor = context.checkpoint.states.find(context.experiment.model.value(state.value).name)->second;
    for (std::int64_t i = 0; i < tensor.count(); ++i) tensor.as<float>()[i] *= 0.5F;
  }
  context.result.test = context.evaluate();
  if (!context.resumes) context.log({}, 0);
  context.save({}, "last.safetensors");
  return true;
}

stages::RunResult run_in(const tests::TemporaryFolder& folder, const readers::Experiment& experiment, bool resume) {
  stages::RunOptions options;
  options.folder = folder / "run";
  options.quiet = true;
  options.resume = resume;
  return stages::run_experiment(experiment, options);
}

}  // namespace

TEST_CASE("a run asks a stage for its kind and nothing else") {
  const stages::StageKind kind{.name = "halve", .summary = "halves parameters", .attributes = {}, .experiment_keys = {}, .run = halve};
  const tests::TemporaryFolder folder;
  tests::write_experiment(folder);
  ir::Json json = readers::load_json(folder / "exp.json");
  json["stages"].erase(2);
  json["stages"].erase(1);
  json["stages"][0]["epochs"] = 1;
  readers::Experiment experiment = readers::read_experiment(json, "e.json", folder.path());
  experiment.stages.push_back({&kind, "halved", {}});

  const stages::RunResult result = run_in(folder, experiment, false);
  REQUIRE(result.finished);
  REQUIRE(result.stages.size() == 2);
  CHECK(result.stages[1].kind == "halve");
  CHECK(result.stages[1].artifact.empty());
  const runtime::Checkpoint before = runtime::load_checkpoint(folder / "run/float.safetensors");
  const runtime::Checkpoint after = runtime::load_checkpoint(folder / "run/halved.safetensors");
  CHECK(after.stage_name == "halved");
  for (const ir::State& state : experiment.model.states()) {
    const std::string& name = experiment.model.value(state.value).name;
    const runtime::Tensor& halved = after.states.find(name)->second;
    const float factor = state.role == ir::StateRole::parameter ? 0.5F : 1;
    for (std::int64_t i = 0; i < halved.count(); ++i) {
      if (halved.type().dtype != ir::DType::f32) continue;
      CHECK(halved.as<float>()[i] == factor * before.states.find(name)->second.as<float>()[i]);
    }
  }
  for (const auto& [name, tensor] : after.states) CHECK_FALSE(name.ends_with(".momentum"));  // slots are the float stage's
  const std::string lines = folder.read("run/metrics.jsonl");
  CHECK(lines.find(R"("stage":"halved","stage_index":1,"kind":"halve")") != std::string::npos);

  const stages::RunResult again = run_in(folder, experiment, true);
  REQUIRE(again.finished);
  CHECK(again.stages[0].test == result.stages[0].test);
  CHECK(again.stages[1].test == result.stages[1].test);
}
