#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "frontend/readers/experiment.h"
#include "frontend/stages/evaluation.h"
#include "frontend/stages/run.h"
#include "frontend/stages/run_folder.h"
#include "runtime/batches.h"
#include "runtime/checkpoint.h"
#include "runtime/trainer.h"

namespace stair::stages {

/// What the stages of a run work with, and what each of them does in the same way. Where several processes train together each has one;
/// functions are collective.
struct StageContext {
  StageContext(const readers::Experiment& of, const RunOptions& with) : experiment(of), options(with) {}

  // Of the run.
  const readers::Experiment& experiment;
  const RunOptions& options;
  runtime::Communicator& communicator = *options.communicator;
  const bool quiet = options.quiet || !communicator.leads();
  RunFolder folder{options.folder};  ///< that the first process writes
  Data data;
  std::optional<runtime::Batches> training, testing;  ///< in training a batch is a shard
  std::optional<runtime::Batches> validating;         ///< where there are data for it
  runtime::Checkpoint checkpoint;                     ///< with the states, of where the run stands
  // Of the stage that runs.
  const Stage* stage = nullptr;
  passes::Recipe recipe;
  std::int64_t index = 0;
  bool resumes = false;  ///< the checkpoint has been written within the stage, or at its end
  StageResult result;

  std::int64_t steps_per_epoch() const { return data.train.count() / experiment.batch; }

  /// The first process alone touches files. Where that fails all processes know.
  void lead(const std::function<void()>& part);
  /// Unless the stage is resumed: the states that it begins with. Slots and the step counter belong to one stage; parameters, statistics,
  /// counters of random numbers and ranges go on, where the stage's graphs have them. What is trained of quantizers goes on under the same
  /// quantizers, and begins anew under others.
  void begin(const std::vector<ir::Graph>& graphs);
  /// Averages that a phase of the stage brings begin as what they are averages of.
  void begin_averages(const ir::Graph& graph);
  /// What the model is worth so far, in float, or on integers behind a stage that quantizes: the first metric on the validation data, or on
  /// the test data where there are none. All metrics go into the result, as "validation_NAME" or "test_NAME".
  double evaluate();
  /// At the end of a stage: unless its last epoch has done so, and on the test data where there are validation data: then these are looked
  /// at here only.
  void evaluate_end();
  double evaluate_on(runtime::Batches& batches, const std::string& part);
  /// Whether it is better than the stage's best epoch so far.
  bool improves(double value) const;
  /// A line of the metrics, with the result's.
  void log(const runtime::Progress& progress, double seconds);
  /// The checkpoint, under a name in the run's folder: to go on from, or to use, with averages in the place of weights.
  void save(const runtime::TrainingState& state, const std::string& name, bool with_averages = false);
};

/// What evaluates the model behind a stage.
passes::Pipeline evaluation(const StageKind& kind, const passes::Recipe& recipe);

}  // namespace stair::stages
