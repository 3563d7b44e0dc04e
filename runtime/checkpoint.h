#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ir/arithmetic_version.h"
#include "runtime/dataset.h"
#include "runtime/loss_sums.h"
#include "runtime/tensor.h"

namespace stair::runtime {

inline constexpr int checkpoint_version = 1;  ///< of the format

/// Everything that a run needs to go on, or another one to start from (docs/format-checkpoint.md).
struct Checkpoint {
  Tensors states;                           ///< parameters, statistics, ranges, slots, counters, by name
  std::string model;                        ///< the model graph as text (.sir), training form
  std::string recipe;                       ///< JSON; "" before any calibration or quantized training
  std::string experiment;                   ///< JSON, complete
  std::vector<ExampleForm> inputs;          ///< what it is trained on, one an input of the model; none: not known
  std::string data;                         ///< checksums of the data that the run began with; "" in files of before there were any
  int arithmetic = ir::arithmetic_version;  ///< the version that the states were trained in
  /// By state, the one that holds its moving average, of the same type: training goes on from the state itself, all else takes the average.
  std::map<std::string, std::string> averages;
  // Where the run stands.
  std::int64_t stage = 0;  ///< index of the stage that these states are of
  std::string stage_name;
  std::int64_t step = 0;  ///< steps of that stage that are done
  std::uint64_t seed = 0;
  double loss_sum = 0;              ///< of the steps of the unfinished epoch
  std::int64_t correct = 0;         ///< labels of the unfinished epoch, where there is one loss
  std::vector<LossSums> sums = {};  ///< of each loss, where there are several; none: 0
  double best = -1;  ///< of the stage's epochs so far, by the metric that tells them, on the validation data; -1: none has been evaluated
  std::int64_t best_step = 0;  ///< when that was
};

/// The states with averages in the place of what they are averages of, copied.
Tensors averaged(const Checkpoint& checkpoint);
/// Makes them the checkpoint's states: nothing is averaged any more.
void take_averages(Checkpoint& checkpoint);

/// The bytes of a checkpoint file.
std::string to_bytes(const Checkpoint& checkpoint);
/// Error naming `path` where the bytes are damaged, foreign or of a newer version.
Checkpoint checkpoint_from(const std::string& bytes, const std::string& path);

/// Replaces the file at once (write_file). Error where that fails. `with_averages`: as take_averages() would leave it.
void save_checkpoint(const Checkpoint& checkpoint, const std::string& path, bool with_averages = false);
/// Error naming the file where it is missing, damaged, foreign or of a newer version.
Checkpoint load_checkpoint(const std::string& path);

}  // namespace stair::runtime
