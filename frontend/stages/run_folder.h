#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "frontend/readers/experiment.h"
#include "frontend/readers/json_file.h"
#include "frontend/stages/run.h"
#include "runtime/folder_lock.h"

namespace stair::stages {

/// The folder of a run and the files in it that people and scripts read: config.json, metrics.jsonl, STAGE.json. One process writes it.
class RunFolder {
 public:
  explicit RunFolder(std::string path) : path_(std::move(path)) {}

  /// PATH/NAME
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// Its checkpoint "last.safetensors" is there.
  bool holds_run() const;
  /// Makes the folder where it isn't there, locks it, and removes what an earlier process has left of files it was writing. Error naming
  /// the process that has it.
  void open();
  /// For a run that begins anew: removes files of one before, and writes config.json.
  void begin(const readers::Experiment& experiment) const;

  /// For a run that goes on with more epochs: writes config.json, and removes the summary of what has ended.
  void extend(const readers::Experiment& experiment) const;

  /// A line of metrics.jsonl.
  void log(const ir::Json& entry) const;
  /// What the metrics say of steps behind the checkpoint at a step of a stage will be said again: those lines go.
  void keep_metrics_until(std::int64_t stage, std::int64_t step) const;

  /// STAGE.json, and what it says of a stage that an earlier, interrupted process has finished. Error where it is damaged.
  void write_result(const StageResult& result) const;
  StageResult read_result(const Stage& stage, const readers::ChosenMetric& metric) const;

 private:
  std::string path_;
  std::optional<runtime::FolderLock> lock_;
};

/// As STAGE.json and summary.json have it.
ir::Json to_json(const StageResult& result);

}  // namespace stair::stages
