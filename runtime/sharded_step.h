#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/communicator.h"
#include "runtime/shard_reduction.h"
#include "runtime/step.h"

namespace stair::runtime {

/// A step whose batch is cut into shards (pass cut_step): the shards run from the same states, one after another in a process, the
/// processes side by side; their results are reduced in the order of shards, and every process makes the same update of them.
class ShardedStep : public Step {
 public:
  /// The executors of the step's two parts. `shards` is a multiple of the number of processes.
  ShardedStep(Executor shard, Executor update, std::int64_t shards, Communicator& communicator, int threads,
              LossFeeds feeds = {LossFeed()});
  /// Takes the batches of this process's shards, in order.
  void run(Prefetch& ahead, std::int64_t step, std::int64_t epoch) override;
  ir::TensorView output(std::string_view name) const override { return update_.output(name); }

 private:
  Executor shard_, update_;
  std::int64_t shards_;
  Communicator& communicator_;
  ShardReduction reduction_;
  LossFeeds feeds_;
};

}  // namespace stair::runtime
