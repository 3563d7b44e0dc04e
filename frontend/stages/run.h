#pragma once

#include <string>
#include <utility>
#include <vector>

#include "frontend/compile.h"
#include "frontend/readers/experiment.h"
#include "runtime/checkpoint.h"
#include "runtime/communicator.h"

namespace stair::stages {

struct RunOptions {
  std::string folder;      ///< of the run: config.json, metrics.jsonl, checkpoints, artifacts, summary.json, report.txt
  bool resume = false;     ///< go on where `folder` stopped
  bool overwrite = false;  ///< a run in `folder` is begun anew
  frontend::CompileOptions compile;
  bool quiet = false;                                       ///< no progress
  runtime::Communicator* communicator = &runtime::alone();  ///< of the processes that train together; their number divides the shards
};

struct StageResult {
  std::string name, kind;
  readers::ChosenMetric metric = {};                          ///< the experiment's first, which the next three are of
  double test = 0;                                            ///< at its end
  double validation = -1;                                     ///< at its end; -1: there are no validation data
  double best_validation = -1;                                ///< of its epochs
  std::vector<std::pair<std::string, double>> measured = {};  ///< "test_accuracy", "validation_accuracy", and of the other metrics likewise
  double images_per_s = 0;                                    ///< of training; 0 for calibration
  std::string checkpoint = {};                                ///< file of its end
  std::string artifact = {};                                  ///< file, or "" where none was exported
  std::size_t artifact_bytes = 0;
  double peak_mib = 0;  ///< of the process so far: resident memory
};

struct RunResult {
  bool finished = false;  ///< false: interrupted, a checkpoint has been written
  std::vector<StageResult> stages;
};

/// Trains an experiment stage by stage. Error as its parts throw; what is in the folder stays whole at any time. Where several processes
/// train together each holds all states, the first alone touches the folder, and all throw the same error.
RunResult run_experiment(const readers::Experiment& experiment, const RunOptions& options);

}  // namespace stair::stages
