#include "runtime/step.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "ir/error.h"
#include "ir/op.h"
#include "runtime/finite.h"

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

// Runs the step again, watching every node. Nothing has been updated, so that the first node at fault shows itself again.
std::string find_cause(Executor& executor, std::span<const ir::TensorView> inputs) {
  const ir::Graph& graph = executor.graph();
  executor.set_hook([&](std::span<const ir::ValueId> values, std::span<const ir::TensorView> results) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      const std::optional<std::int64_t> element = first_not_finite(results[i]);
      if (!element) continue;
      const ir::Node& node = *graph.producer(values[i]);
      throw FirstNotFinite{fmt::format("'{}' ({} '{}'): {}", graph.value(values[i]).name, node.op->name, node.name,
                                       describe_not_finite(results[i], *element))};
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

}  // namespace

void run_finite(Executor& executor, std::span<const ir::TensorView> inputs, std::string_view loss, std::int64_t step, std::int64_t epoch) {
  const ir::ValueId watched = executor.graph().output(loss);
  executor.set_hook([&](std::span<const ir::ValueId> values, std::span<const ir::TensorView> results) {
    if (values.front() == watched && !std::isfinite(*results.front().as<float>())) throw LossIsNotFinite{};
  });
  const HookRemover remover{executor};
  try {
    executor.run(inputs);
  } catch (const LossIsNotFinite&) {
    const float value = printable(*executor.output(loss).as<float>());
    throw Error(fmt::format("the loss became {} at step {} (epoch {}); the first tensor that isn't finite is {}", value, step, epoch + 1,
                            find_cause(executor, inputs)));
  } catch (const NotFinite& fault) {
    const std::string cause = fault.states_changed() ? "" : "; the first tensor that isn't finite is " + find_cause(executor, inputs);
    throw Error(fmt::format("step {} (epoch {}): {}{}", step, epoch + 1, fault.what(), cause));
  }
}

std::vector<ir::TensorView> inputs_of(const Batch& batch, const LossFeeds& feeds) {
  std::vector<ir::TensorView> views = views_of(batch.inputs);
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    if (feeds[i].labels) views.push_back(batch.labels[i].view());
    if (feeds[i].teacher) views.push_back(feeds[i].teacher(batch));
    if (!feeds[i].mixed) continue;
    views.push_back(batch.partners[i].view());
    views.push_back(batch.shares->view());
  }
  return views;
}

void WholeStep::run(Prefetch& ahead, std::int64_t step, std::int64_t epoch) {
  run_finite(executor_, inputs_of(ahead.next(), feeds_), "loss", step, epoch);
}

}  // namespace stair::runtime
