#pragma once

#include <cstdint>
#include <map>
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
  ir::Attributes settings;                                  ///< of the format, complete
  std::vector<std::int64_t> only = {};                      ///< the labels of the examples that are taken; none: all
  std::map<std::string, runtime::DatasetFiles> named = {};  ///< keys that are said for each input or output of the model
};

/// Numbers of the channels of what the model is fed: of all inputs, or of each by its name.
struct ChannelNumbers {
  std::vector<double> all;
  std::map<std::string, std::vector<double>> named = {};
  bool says() const { return !all.empty() || !named.empty(); }
};

/// The part as its format loads it for a model, of which those outputs have labels.
runtime::DatasetPart dataset_part(const DataPart& part, const ir::Graph& model, std::vector<std::string> outputs);

struct DataFiles {
  std::string format;
  DataPart train, test;
  std::optional<DataPart> validation;  ///< of files of its own
  double validation_share = 0;         ///< or cut from the training data, by the experiment's seed: more than 0, less than 1
  ChannelNumbers mean, std;

  bool validates() const { return validation.has_value() || validation_share > 0; }
};

/// What is done to each input of a model. An input that isn't named has none.
runtime::Normalizations normalizations(const DataFiles& data, const ir::Graph& model);

/// The checkpoint that the first stage starts from, and what of it.
struct Start {
  std::string checkpoint;                                        ///< or "": none
  bool chooses = false;                                          ///< it takes what fits; else it must hold the whole model
  std::vector<std::string> take = {"*"};                         ///< patterns of the names that tensors have in this model
  std::vector<std::pair<std::string, std::string>> rename = {};  ///< how names begin there, and how here
};

/// What training makes small of an output, and what that is held against.
struct Objective {
  std::string output = {};   ///< of the model; "": its first
  std::string name = {};     ///< the same where there are several losses, else ""
  ir::Attributes loss = {};  ///< its members, complete
  std::string pointer = {};  ///< "/losses/1"
  std::int64_t labels = 0;   ///< of an example, being classes; 0: it has values

  passes::Target target() const { return passes::target_of(loss); }
  /// The output in a graph that has it. Error with the nearest name.
  ir::Output in(const ir::Graph& graph) const;
};

/// A metric, with its settings.
struct ChosenMetric {
  const runtime::Metric* metric = nullptr;  ///< of runtime::metrics()
  ir::Attributes options = {};              ///< complete
  std::size_t objective = 0;                ///< whose output it measures
  std::string output = {};                  ///< the same by name where it isn't that of the first objective

  /// "accuracy", "rmse:angle"
  std::string name() const { return output.empty() ? metric->name : metric->name + ":" + output; }
  std::string shown(double value) const { return metric->shown(value); }
};
/// What outputs are measured by: accuracy for classes and rmse for floats, of each objective, and what else the experiment says. The first
/// tells how good an epoch is.
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
  ir::Attributes loss;                ///< options of the pass append_loss
  std::vector<Objective> objectives;  ///< what that says, one a loss
  passes::Recipe recipe;
  Start start;
  std::vector<std::string> plugins;  ///< files of backends that training is to run on
  std::int64_t checkpoint_every = 500;
  bool exports = true;
  std::vector<stages::Stage> stages;
  Metrics metrics;                ///< of evaluation
  std::vector<std::string> idle;  ///< what it says without any effect: a message each (check_settings)

  /// The outputs of a model that have labels. Error with the nearest name where it lacks one.
  std::vector<std::string> labelled_outputs(const ir::Graph& of) const;
  /// What is done to the model's inputs.
  runtime::Normalizations normalizations() const { return readers::normalizations(data, model); }
  Json json;  ///< complete: the model in place, paths absolute; read_experiment(json) is this experiment
};

/// Reads and checks. `folder` is what relative paths start from. Error "SOURCE POINTER: found …, expected …".
Experiment read_experiment(Json json, const std::string& source, const std::string& folder);

/// Error "SOURCE: …" unless the model can be trained on labelled examples: its inputs and outputs are f32 [N, ...].
void check_model(const ir::Graph& model, const std::string& source);

/// Sets the number of shards, in its JSON too. Error "SOURCE /shards: …" unless it divides the batch.
void set_shards(Experiment& experiment, std::int64_t shards, const std::string& source);

/// Loads the experiment's plug-ins (backends/plugin.h). Error "SOURCE /plugins/I: …".
void load_plugins(const Experiment& experiment, const std::string& source);

/// An experiment file with `--set` assignments applied.
Experiment load_experiment(const std::string& path, const std::vector<std::string>& assignments = {});

}  // namespace stair::readers
