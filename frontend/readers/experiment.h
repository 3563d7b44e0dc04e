#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "frontend/readers/json_file.h"
#include "frontend/stages/stage.h"
#include "ir/graph.h"
#include "passes/recipe.h"
#include "runtime/batches.h"
#include "runtime/dataset.h"
#include "runtime/metric.h"

namespace stair::readers {

/// A part of the data: its files, and what its format is told of them.
struct DataPart {
  runtime::DatasetFiles files;
  ir::Attributes settings;  ///< of the format, complete
};

struct DataFiles {
  std::string format;
  DataPart train, test;
  std::optional<DataPart> validation;  ///< of files of its own
  double validation_share = 0;         ///< or cut from the training data, by the experiment's seed: more than 0, less than 1
  runtime::Normalization normalization;

  bool validates() const { return validation.has_value() || validation_share > 0; }
};

/// What outputs are measured by: accuracy, and what an experiment names beside it.
using Metrics = std::vector<const runtime::Metric*>;

/// An experiment JSON (docs/format-experiment-json.md), read and checked.
struct Experiment {
  std::string name;
  std::string source;  ///< the file, for errors
  ir::Graph model;     ///< training form, batch 1
  DataFiles data;
  ir::Attributes augmentation;  ///< members of runtime::augmentation_spec()
  std::int64_t batch = 64, eval_batch = 100;
  std::int64_t shards = 1;  ///< of a batch in training; divides it
  std::uint64_t seed = 1;
  ir::Attributes loss;  ///< options of the pass append_loss
  passes::Recipe recipe;
  std::string start;                 ///< checkpoint, or ""
  std::vector<std::string> plugins;  ///< files of backends that training is to run on
  std::int64_t checkpoint_every = 500;
  bool exports = true;
  std::vector<stages::Stage> stages;
  Metrics metrics;                ///< of evaluation
  std::vector<std::string> idle;  ///< what it says without any effect: a message each (check_settings)

  Json json;  ///< complete: the model in place, paths absolute; read_experiment(json) is this experiment
};

/// Reads and checks. `folder` is what relative paths start from. Error "SOURCE POINTER: found …, expected …".
Experiment read_experiment(Json json, const std::string& source, const std::string& folder);

/// Error "SOURCE: …" unless the model can be trained on labelled examples: it takes one f32 [N, ...] and yields one f32 [N, classes].
void check_model(const ir::Graph& model, const std::string& source);

/// Sets the number of shards, in its JSON too. Error "SOURCE /shards: …" unless it divides the batch.
void set_shards(Experiment& experiment, std::int64_t shards, const std::string& source);

/// Loads the experiment's plug-ins (backends/plugin.h). Error "SOURCE /plugins/I: …".
void load_plugins(const Experiment& experiment, const std::string& source);

/// An experiment file with `--set` assignments applied.
Experiment load_experiment(const std::string& path, const std::vector<std::string>& assignments = {});

}  // namespace stair::readers
