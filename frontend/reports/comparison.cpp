#include "frontend/reports/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "frontend/readers/deployed.h"
#include "frontend/readers/trained.h"
#include "frontend/stages/evaluation.h"
#include "passes/quantizer.h"
#include "runtime/clock.h"

namespace stair::reports {
namespace {

// How many leading float stages of `experiment` `earlier` has trained just so.
std::size_t shared_stages(const readers::Experiment& experiment, const readers::Experiment& earlier) {
  for (const char* key : {"model", "data", "augmentation", "batch", "shards", "seed", "loss", "metrics", "best_by", "start"}) {
    if (experiment.json.value(key, ir::Json()) != earlier.json.value(key, ir::Json())) return 0;
  }
  std::size_t shared = 0;
  while (shared < experiment.stages.size() && shared < earlier.stages.size() && !experiment.stages[shared].kind->quantizes &&
         experiment.json["stages"][shared] == earlier.json["stages"][shared]) {
    ++shared;
  }
  return shared;
}

verification::Verification verify_stage(const readers::Experiment& experiment, const stages::StageResult& stage,
                                        const stages::RunOptions& options) {
  readers::Trained trained = readers::load_trained(stage.checkpoint);
  readers::Deployed artifact = readers::load_deployed(stage.artifact);
  return verification::verify(trained, artifact, stages::load_data(experiment, false).test, 0, {.backends = options.compile.backends});
}

std::string bits_of(const stages::Stage& stage) {
  const passes::Recipe& recipe = stage.recipe;
  if (!stage.kind->quantizes) return "32 / 32";
  const int weights = passes::quantizers().named(recipe.weights().text("method"), "method").bits(recipe.weights());
  return fmt::format("{} / {}", weights, recipe.quantizes_activations() ? recipe.activations().integer("bits") : 32);
}

ir::Json stages_json(const ComparedExperiment& experiment) {
  ir::Json json = ir::Json::object();
  for (const stages::StageResult& stage : experiment.stages) {
    json[stage.name] = {{"test_" + stage.metric.name(), stage.test}};
    if (stage.validation >= 0) json[stage.name]["validation_" + stage.metric.name()] = stage.validation;
    if (stage.images_per_s > 0) json[stage.name]["images_per_s"] = stage.images_per_s;
    if (stage.artifact_bytes > 0) json[stage.name]["bytes"] = stage.artifact_bytes;
  }
  if (!experiment.stages.empty() && experiment.stages.back().artifact_bytes > 0) {
    json["artifact"] = {{"bytes", experiment.stages.back().artifact_bytes}};
  }
  return json;
}

}  // namespace

bool Comparison::holds() const {
  return std::all_of(experiments.begin(), experiments.end(),
                     [](const ComparedExperiment& e) { return !e.verified || e.verification.holds(); });
}

Comparison compare(const std::vector<readers::Experiment>& experiments, const stages::RunOptions& options) {
  const runtime::Clock::time_point start = runtime::Clock::now();
  Comparison comparison;
  for (std::size_t i = 0; i < experiments.size(); ++i) {
    readers::Experiment experiment = experiments[i];
    ComparedExperiment compared{experiment.name, {}, {}, {}, false};
    for (const stages::Stage& stage : experiment.stages) compared.bits.push_back(bits_of(stage));
    for (std::size_t j = 0; j < i; ++j) {
      const std::size_t shared = shared_stages(experiment, experiments[j]);
      if (shared == 0) continue;
      const auto& before = comparison.experiments[j].stages;
      compared.stages.assign(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(shared));
      experiment.start = {.checkpoint = compared.stages.back().checkpoint};
      experiment.stages.erase(experiment.stages.begin(), experiment.stages.begin() + static_cast<std::ptrdiff_t>(shared));
      // Its run is of the experiment that begins with the shared stages' result: its checkpoints count the stages from there.
      ir::Json& stages = experiment.json["stages"];
      stages.erase(stages.begin(), stages.begin() + static_cast<std::ptrdiff_t>(shared));
      experiment.start.checkpoint = std::filesystem::absolute(experiment.start.checkpoint).lexically_normal().string();
      experiment.json["start"] = experiment.start.checkpoint;
      break;
    }
    if (!options.quiet) fmt::print("== {}\n", experiment.name);
    stages::RunOptions run_options = options;
    run_options.folder = options.folder + "/" + experiment.name;
    stages::RunResult result = stages::run_experiment(experiment, run_options);
    if (!result.finished) return comparison;
    compared.stages.insert(compared.stages.end(), result.stages.begin(), result.stages.end());
    if (!compared.stages.empty() && !compared.stages.back().artifact.empty()) {
      if (!options.quiet) fmt::print("verifying {}\n", compared.stages.back().artifact);
      compared.verification = verify_stage(experiment, compared.stages.back(), options);
      compared.verified = true;
    }
    comparison.experiments.push_back(std::move(compared));
  }
  comparison.finished = true;
  comparison.seconds = runtime::seconds_since(start);
  return comparison;
}

std::string describe(const Comparison& comparison) {
  std::string text = fmt::format("\n{:<28} {:>22} {:>14} {:>16} {:>16}\n", "method", "bits (weights / act.)",
                                 "test " + comparison.experiments.front().stages.front().metric.name(), "artifact bytes", "train images/s");
  std::vector<std::string> subjects;
  std::int64_t elements = 0;
  std::int64_t mismatches = 0;
  std::int64_t images = 0;
  for (const ComparedExperiment& experiment : comparison.experiments) {
    for (std::size_t i = 0; i < experiment.stages.size(); ++i) {
      const stages::StageResult& stage = experiment.stages[i];
      const std::string bytes = stage.artifact_bytes > 0 ? fmt::format("{}", stage.artifact_bytes) : "-";
      const std::string speed = stage.images_per_s > 0 ? fmt::format("{:.0f}", stage.images_per_s) : "-";
      text += fmt::format("{:<28} {:>22} {:>14} {:>16} {:>16}\n", experiment.name + ": " + stage.name, experiment.bits[i],
                          stage.metric.shown(stage.test), bytes, speed);
    }
    for (const verification::IntegerComparison& compared : experiment.verification.integers) {
      if (std::find(subjects.begin(), subjects.end(), compared.subject) == subjects.end()) subjects.push_back(compared.subject);
    }
    elements += experiment.verification.elements();
    mismatches += experiment.verification.mismatches();
    images = std::max(images, experiment.verification.images);
  }
  text += fmt::format("\nverify: {} test images, {} integers compared between training and deployment, {} differ{}\n", images, elements,
                      mismatches, comparison.holds() ? "" : "; VERIFICATION DOES NOT HOLD");
  if (!subjects.empty()) text += fmt::format("compared: {}\n", fmt::join(subjects, "; "));
  return text;
}

ir::Json to_json(const Comparison& comparison) {
  ir::Json json = ir::Json::object();
  std::int64_t images = 0;
  std::int64_t elements = 0;
  std::int64_t mismatches = 0;
  for (std::size_t i = 0; i < comparison.experiments.size(); ++i) {
    const ComparedExperiment& experiment = comparison.experiments[i];
    if (i == 0) {
      json = stages_json(experiment);
    } else {
      json[experiment.name] = stages_json(experiment);
    }
    images = std::max(images, experiment.verification.images);
    elements += experiment.verification.elements();
    mismatches += experiment.verification.mismatches();
  }
  json["verify"] = {{"images", images}, {"elements", elements}, {"mismatches", mismatches}, {"holds", comparison.holds()}};
  json["seconds"] = comparison.seconds;
  return json;
}

}  // namespace stair::reports
