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
  /// "loss", "correct" (over the whole batch, where classes are trained) or "learning_rate" of the last run.
  virtual ir::TensorView output(std::string_view name) const = 0;
};

/// What another model makes of a batch, of the type of the step's outputs, where the step's loss holds them against that (distillation).
/// Valid until the next call.
using Teacher = std::function<ir::TensorView(const Batch&)>;

/// A step that is one execution of one graph.
class WholeStep : public Step {
 public:
  explicit WholeStep(Executor executor, Teacher teacher = {}) : executor_(std::move(executor)), teacher_(std::move(teacher)) {}
  void run(Prefetch& ahead, std::int64_t step, std::int64_t epoch) override;
  ir::TensorView output(std::string_view name) const override { return executor_.output(name); }
  const Executor& executor() const { return executor_; }

 private:
  Executor executor_;
  Teacher teacher_;
};

/// What a step takes of a batch, in the order of its inputs: the images, the labels unless its loss asks for none, and what a teacher says.
std::vector<ir::TensorView> inputs_of(const Batch& batch, std::size_t taken, const Teacher& teacher);

/// One execution. Error as Step::run, where the output `loss` isn't finite.
void run_finite(Executor& executor, std::span<const ir::TensorView> inputs, std::string_view loss, std::int64_t step, std::int64_t epoch);

}  // namespace stair::runtime
