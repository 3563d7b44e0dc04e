#include "runtime/sharded_step.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace stair::runtime {

ShardedStep::ShardedStep(Executor shard, Executor update, std::int64_t shards, Communicator& communicator, int threads, LossFeeds feeds)
    : shard_(std::move(shard)),
      update_(std::move(update)),
      shards_(shards),
      communicator_(communicator),
      reduction_(shard_.graph(), shards, communicator, threads),
      feeds_(std::move(feeds)) {}

void ShardedStep::run(Prefetch& ahead, std::int64_t step, std::int64_t epoch) {
  for (std::int64_t shard = communicator_.rank(); shard < shards_; shard += communicator_.size()) {
    together(communicator_, [&] {
      std::vector<ir::TensorView> inputs = inputs_of(ahead.next(), feeds_);
      inputs.push_back({{ir::DType::i64, {1}}, reinterpret_cast<std::byte*>(&shard)});
      run_finite(shard_, inputs, "mean:loss", step, epoch);
    });
    reduction_.add(shard_);
  }
  try {
    update_.run(reduction_.finish());
  } catch (const NotFinite& fault) {  // on every process, which all update alike
    throw SharedError(fmt::format("step {} (epoch {}): {}", step, epoch + 1, fault.what()));
  }
}

}  // namespace stair::runtime
