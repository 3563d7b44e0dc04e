#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frontend/readers/json_file.h"
#include "frontend/stages/stage.h"
#include "ir/graph.h"
#include "passes/loss.h"
#include "passes/recipe.h"
#include "runtime/batches.h"
#include "runtime/dataset.h"
#include "runtime/metric.h"

namespace stair::readers {

/// A part of the data: its files, and what its format is told of them.
struct DataPart {
  runtime::DatasetFiles files;
  ir::Attributes settings;              ///< of the format, complete
  std::vector<std::int64_t> only = {};  ///< the labels of the examples that are taken; none: all
};

struct DataFiles {
  std::string format;
  DataPart train, test;
  std::optional<DataPart> validation;  ///< of files of its own
  double validation_share = 0;         ///< or cut from the training data, by the experiment's seed: more than 0, less than 1
  runtime::Normalization normalization;

  bool validates() const { return validation.has_value() || validation_share > 0; }
};

/// The checkpoint that the first stage starts from, and what of it.
struct Start {
  std::string checkpoint;                                        ///< or "": none
  bool chooses = false;                                          ///< it takes what fits; else it must hold the whole model
  std::vector<std::string> take = {"*"};                         ///< patterns of the names that tensors have in this model
  std::vector<std::pair<std::string, std::string>> rename = {};  ///< how names begin there, and how here
};

/// A metric, with its settings.
struct ChosenMetric {
  const runtime::Metric* metric = nullptr;  ///< of runtime::metrics()
  ir::Attributes options = {};              ///< complete
};
/// What outputs are measured by. The first, which tells how good an epoch is, is accuracy for classes and rmse for floats unless the
/// experiment says another.
using Metrics = std::vector<ChosenMetric>;

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
  Start start;
  std::vector<std::string> plugins;  ///< files of backends that training is to run on
  std::int64_t checkpoint_every = 500;
  bool exports = true;
  std::vector<stages::Stage> stages;
  Metrics metrics;                ///< of evaluation
  std::vector<std::string> idle;  ///< what it says without any effect: a message each (check_settings)

  /// What the outputs are held against.
  passes::Target target() const { return passes::target_of(loss.object("loss")); }
  /// Labels of an example, being classes; 0: it has values.
  std::int64_t labels_of_example() const;

  Json json;  ///< complete: the model in place, paths absolute; read_experiment(json) is this experiment
};

/// Reads and checks. `folder` is what relative paths start from. Error "SOURCE POINTER: found …, expected …".
Experiment read_experiment(Json json, const std::string& source, const std::string& folder);

/// Error "SOURCE: …" unless the model can be trained on labelled examples: it takes one f32 [N, ...] and yields one f32 [N, ...].
void check_model(const ir::Graph& model, const std::string& source);

/// Sets the number of shards, in its JSON too. Error "SOURCE /shards: …" unless it divides the batch.
void set_shards(Experiment& experiment, std::int64_t shards, const std::string& source);

/// Loads the experiment's plug-ins (backends/plugin.h). Error "SOURCE /plugins/I: …".
void load_plugins(const Experiment& experiment, const std::string& source);

/// An experiment file with `--set` assignments applied.
Experiment load_experiment(const std::string& path, const std::vector<std::string>& assignments = {});

}  // namespace stair::readers
