#include "runtime/trainer.h"

#include <fmt/format.h>

#include <cmath>

#include "ir/error.h"
#include "ir/op.h"
#include "runtime/clock.h"
#include "runtime/prefetch.h"

namespace stair::runtime {
namespace {

// Thrown out of an execution before its updates take place.
struct LossIsNotFinite {};
struct FirstNotFinite {
  std::string place;
};

// A hook refers to what is on the stack of the one who set it.
struct HookRemover {
  Executor& executor;
  ~HookRemover() { executor.set_hook({}); }
};

// Without the sign of a NaN, which means nothing.
float printable(float value) {
  return std::isnan(value) ? std::fabs(value) : value;
}

std::string not_finite(const ir::TensorView& tensor) {
  if (tensor.type.dtype != ir::DType::f32) return "";
  for (std::int64_t i = 0; i < tensor.count(); ++i) {
    if (!std::isfinite(tensor.as<float>()[i])) return fmt::format("element {} is {}", i, printable(tensor.as<float>()[i]));
  }
  return "";
}

// Runs the step again, watching every node. Nothing has been updated, so that the first node at fault shows itself again.
std::string find_cause(Executor& executor, std::span<const ir::TensorView> inputs) {
  const ir::Graph& graph = executor.graph();
  executor.set_hook([&](const ir::Node& node, std::span<const ir::TensorView> results) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      const std::string found = not_finite(results[i]);
      if (!found.empty())
        throw FirstNotFinite{fmt::format("'{}' ({} '{}'): {}", graph.value(node.results[i]).name, node.op->name, node.name, found)};
    }
  });
  const HookRemover remover{executor};
  try {
    executor.run(inputs);
  } catch (const FirstNotFinite& first) {
    return first.place;
  }
  return "the loss itself";
}

// One step; Error where the loss isn't finite.
void run_step(Executor& executor, std::span<const ir::TensorView> inputs, std::int64_t step, std::int64_t epoch) {
  const ir::ValueId loss = executor.graph().output("loss");
  executor.set_hook([&](const ir::Node& node, std::span<const ir::TensorView> results) {
    if (node.results.front() == loss && !std::isfinite(*results.front().as<float>())) throw LossIsNotFinite{};
  });
  const HookRemover remover{executor};
  try {
    executor.run(inputs);
  } catch (const LossIsNotFinite&) {
    const float value = printable(*executor.output("loss").as<float>());
    throw Error(fmt::format("the loss became {} at step {} (epoch {}); the first tensor that isn't finite is {}", value, step, epoch + 1,
                            find_cause(executor, inputs)));
  }
}

}  // namespace

bool TrainingLoop::run(Batches& batches, TrainingState& state) const {
  const std::int64_t per_epoch = batches.training_batches();
  const std::int64_t batch = batches.type().shape.front();
  const std::int64_t steps = per_epoch * epochs;
  const std::int64_t first = state.step;
  Prefetch ahead(batches, steps - first, [first, per_epoch](std::int64_t n) {
    return Prefetch::Place{(first + n) / per_epoch, (first + n) % per_epoch};
  });
  double training_seconds = 0;
  std::int64_t steps_here = 0;
  double epoch_seconds = 0;
  while (state.step < steps) {
    const Clock::time_point start = Clock::now();
    const std::int64_t epoch = state.step / per_epoch;
    const std::int64_t index = state.step % per_epoch;
    const Batch& loaded = ahead.next();
    const ir::TensorView inputs[] = {loaded.images.view(), loaded.labels.view()};
    Executor& executor = program(state.step);
    run_step(executor, inputs, state.step, epoch);
    ++state.step;
    ++steps_here;
    state.loss_sum += static_cast<double>(*executor.output("loss").as<float>());
    state.correct += *executor.output("correct").as<std::int32_t>();
    const double seconds = seconds_since(start);
    training_seconds += seconds;
    epoch_seconds += seconds;

    Progress progress;
    progress.step = state.step;
    progress.steps = steps;
    progress.epoch = epoch;
    progress.epochs = epochs;
    progress.batch = batch;
    progress.loss = state.loss_sum / static_cast<double>(index + 1);
    progress.accuracy = static_cast<double>(state.correct) / static_cast<double>((index + 1) * batch);
    progress.learning_rate = static_cast<double>(*executor.output("learning_rate").as<float>());
    progress.images_per_s = static_cast<double>(steps_here * batch) / training_seconds;
    progress.epoch_ended = index + 1 == per_epoch;
    report(progress);
    if (progress.epoch_ended) {
      epoch_end(progress, epoch_seconds);
      epoch_seconds = 0;
      state.loss_sum = 0;
      state.correct = 0;
    }
    const bool stop = interrupted();
    if (stop || progress.epoch_ended || (checkpoint_every > 0 && state.step % checkpoint_every == 0)) save(state);
    if (stop && state.step < steps) return false;
  }
  return true;
}

}  // namespace stair::runtime
