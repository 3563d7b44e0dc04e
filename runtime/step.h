#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/executor.h"
#include "runtime/prefetch.h"

namespace stair::runtime {

/// One step of training, over and over: from batches to new states.
class Step {
 public:
  virtual ~Step() = default;
  /// Takes its batches from `ahead` and runs. Error naming the first tensor that isn't finite, its node and the step, where the loss isn't;
  /// no state has changed then, but for those that Executor::set_hook speaks of.
  virtual void run(Prefetch& ahead, std::int64_t step, std::int64_t epoch) = 0;
  /// "loss", "learning_rate", or what there is of a loss (over the whole batch), of the last run.
  virtual ir::TensorView output(std::string_view name) const = 0;
};

/// What another model makes of a batch, of the type of an output, where a loss holds the output against that (distillation). Valid until
/// the next call.
using Teacher = std::function<ir::TensorView(const Batch&)>;

/// What a loss takes of a batch, beside the model's inputs.
struct LossFeed {
  bool labels = true;    ///< those of its output; false: it is held against the model's input
  Teacher teacher = {};  ///< none where the loss asks for none
  bool mixed = false;    ///< the labels of the examples that those are mixed with, and the shares (Batch)
};
/// One a loss, in the order in which append_loss has them.
using LossFeeds = std::vector<LossFeed>;

/// A step that is one execution of one graph.
class WholeStep : public Step {
 public:
  explicit WholeStep(Executor executor, LossFeeds feeds = {LossFeed()}) : executor_(std::move(executor)), feeds_(std::move(feeds)) {}
  void run(Prefetch& ahead, std::int64_t step, std::int64_t epoch) override;
  ir::TensorView output(std::string_view name) const override { return executor_.output(name); }
  const Executor& executor() const { return executor_; }

 private:
  Executor executor_;
  LossFeeds feeds_;
};

/// What a step takes of a batch, in the order of its inputs: the model's, then of each loss the labels, what a teacher says, and what there
/// is of mixtures.
std::vector<ir::TensorView> inputs_of(const Batch& batch, const LossFeeds& feeds);

/// One execution. Error as Step::run, where the output `loss` isn't finite.
void run_finite(Executor& executor, std::span<const ir::TensorView> inputs, std::string_view loss, std::int64_t step, std::int64_t epoch);

}  // namespace stair::runtime
