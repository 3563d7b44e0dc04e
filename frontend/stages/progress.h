#pragma once

#include <string>

#include "runtime/clock.h"
#include "runtime/trainer.h"

namespace stair::stages {

/// Shows the progress of a stage: a line that is written over on a terminal, a line now and then (and one an epoch) in a pipe.
class ProgressLine {
 public:
  ProgressLine(std::string stage, bool quiet);
  void show(const runtime::Progress& progress);
  /// The line of an epoch, which stays, with what a metric says of a part of the data ("validation").
  void finish_epoch(const runtime::Progress& progress, const char* part, const std::string& value);

 private:
  std::string stage_;
  bool quiet_, terminal_;
  runtime::Clock::time_point last_shown_ = runtime::Clock::now();
};

}  // namespace stair::stages
