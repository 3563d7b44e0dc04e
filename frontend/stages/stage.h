#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/kinds.h"
#include "passes/pipelines.h"

namespace stair::readers {
struct Experiment;
}

namespace stair::stages {

struct StageContext;

/// What a stage of an experiment does: one file in frontend/stages/kinds.
struct StageKind {
  std::string name;
  std::string summary;
  std::vector<ir::AttributeSpec> attributes;
  /// Keys of the experiment that not all stages look at: they are refused where no stage does.
  std::vector<std::string> experiment_keys;
  /// The recipe's states are trained or observed: from here on the model is evaluated on integers, and may be exported.
  bool quantizes = false;
  /// What is on at a training step of the stage; none: it runs no training steps.
  std::function<passes::Phase(const passes::Recipe& recipe, std::int64_t step, std::int64_t steps_per_epoch)> phase = {};
  /// Error "SOURCE /stages/INDEX…: …" where the stage asks for what the training data hasn't. Known before any stage runs.
  std::function<void(const readers::Experiment& experiment, std::size_t index, std::int64_t steps_per_epoch)> check = {};
  /// Changes the states and writes result and checkpoint "last" (collective). Where it resumes, the checkpoint may be of its end already.
  /// False: interrupted, and the checkpoint goes on from there.
  std::function<bool(StageContext& context)> run;

  /// The recipe's schedule moves the stage through its phases.
  bool follows_schedule() const { return quantizes && phase != nullptr; }
};

using StageRegistry = ir::Registry<StageKind>;
const StageRegistry& stage_kinds();

/// Those that float training comes from first, as experiments have them.
std::vector<ir::KindSpec> stage_specs();

/// The key of an experiment or of a stage for its recipe, which the recipe's reader takes.
ir::AttributeSpec recipe_attribute(std::string doc = "of this stage, in place of the experiment's");

/// A stage of an experiment.
struct Stage {
  const StageKind* kind = nullptr;  ///< of stage_kinds()
  std::string name;                 ///< unique; of its files in the run's folder
  ir::Attributes options;           ///< the members of its kind, complete
  passes::Recipe recipe = {};       ///< its own, or the experiment's
  std::string recipe_pointer = {};  ///< where the experiment says it: "/stages/1/recipe", "/recipe"
};

}  // namespace stair::stages
