#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/batches.h"
#include "runtime/communicator.h"
#include "runtime/loss_sums.h"
#include "runtime/step.h"

namespace stair::runtime {

/// Where a stage of training stands: what a checkpoint holds of it.
struct TrainingState {
  std::int64_t step = 0;            ///< steps that are done
  double loss_sum = 0;              ///< of the steps of the current epoch
  std::int64_t correct = 0;         ///< labels of the current epoch, where there is one loss
  std::vector<LossSums> sums = {};  ///< of each loss, where there are several; none: 0
};

struct Progress {
  std::int64_t step = 0, steps = 0;  ///< of the stage
  std::int64_t epoch = 0, epochs = 0;
  std::int64_t batch = 0;               ///< images of a step
  double loss = 0;                      ///< mean of the current epoch so far
  std::optional<double> accuracy = {};  ///< likewise, where there is one loss, of classes
  /// The same of each loss, where there are several.
  struct Part {
    std::string output;
    double loss = 0;
    std::optional<double> accuracy = {};
  };
  std::vector<Part> parts = {};
  double learning_rate = 0;
  double images_per_s = 0;  ///< of this process's steps so far, without evaluation
  bool epoch_ended = false;
};

/// A loss of a step, which yields its mean and, where it counts them, the correct labels.
struct TrainedLoss {
  std::string output = {};      ///< of the model; "" where there is one loss
  std::int64_t labels = 1;      ///< of an image, being classes; 0: none
  std::string says = "loss";    ///< the step's output for its mean,
  std::string met = "correct";  ///< and, where there are labels, for how many are met
};

/// The loop over the steps of one stage. It knows of a step only that it takes batches and yields "loss", "learning_rate" and what there is
/// of each loss; what it does is its graph's.
struct TrainingLoop {
  std::int64_t epochs = 1;
  std::int64_t checkpoint_every = 0;                               ///< steps; 0: only at the end of epochs
  std::int64_t shards = 1;                                         ///< of a step
  std::vector<TrainedLoss> losses = {TrainedLoss()};               ///< the step's
  Communicator* communicator = &alone();                           ///< of the processes that share the shards
  std::function<Step&(std::int64_t step)> program;                 ///< what a step runs (a recipe's phases change it)
  std::function<void(const Progress&)> report;                     ///< after every step
  std::function<void(const Progress&, double seconds)> epoch_end;  ///< evaluates, logs
  std::function<void(const TrainingState&)> save;
  std::function<bool()> interrupted;              ///< asked after every step
  std::function<bool(std::int64_t step)> enough;  ///< asked at the start and after every epoch: whether the stage ends here; none: never

  /// Runs from `state` to the end of the stage or what is enough (true) or to an interruption (false) of any process; after an interruption
  /// the state has been saved. A batch of `batches` is a shard's. Error as Step::run. Collective.
  bool run(Batches& batches, TrainingState& state) const;
};

}  // namespace stair::runtime
