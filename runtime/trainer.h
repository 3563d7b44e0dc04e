#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "runtime/batches.h"
#include "runtime/executor.h"

namespace stair::runtime {

/// Where a stage of training stands: what a checkpoint holds of it.
struct TrainingState {
  std::int64_t step = 0;     ///< steps that are done
  double loss_sum = 0;       ///< of the steps of the current epoch
  std::int64_t correct = 0;  ///< of the images of the current epoch
};

struct Progress {
  std::int64_t step = 0, steps = 0;  ///< of the stage
  std::int64_t epoch = 0, epochs = 0;
  std::int64_t batch = 0;  ///< images of a step
  double loss = 0;         ///< mean of the current epoch so far
  double accuracy = 0;     ///< likewise
  double learning_rate = 0;
  double images_per_s = 0;  ///< of this process's steps so far, without evaluation
  bool epoch_ended = false;
};

/// The loop over the steps of one stage. It knows of graphs only that they take images and labels and yield "loss", "correct" and
/// "learning_rate"; what a step does is the graph's.
struct TrainingLoop {
  std::int64_t epochs = 1;
  std::int64_t checkpoint_every = 0;                               ///< steps; 0: only at the end of epochs
  std::function<Executor&(std::int64_t step)> program;             ///< the graph of a step (a recipe's phases change it)
  std::function<void(const Progress&)> report;                     ///< after every step
  std::function<void(const Progress&, double seconds)> epoch_end;  ///< evaluates, logs
  std::function<void(const TrainingState&)> save;
  std::function<bool()> interrupted;  ///< asked after every step

  /// Runs from `state` to the end of the stage (true) or to an interruption (false); after an interruption the state has been saved.
  /// Error naming the first tensor that isn't finite, its node and the step, where the loss isn't.
  bool run(Batches& batches, TrainingState& state) const;
};

}  // namespace stair::runtime
