#include "frontend/calibration.h"

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/rebatch.h"
#include "passes/pipelines.h"
#include "runtime/finite.h"

namespace stair::driver {

void calibrate_ranges(const Experiment& experiment, const passes::Recipe& recipe, const runtime::Dataset& data, std::int64_t count,
                      runtime::Tensors& states, const CompileOptions& options) {
  const ir::Graph graph = passes::run(passes::calibration(recipe), ir::with_batch(experiment.model, experiment.batch));
  for (const ir::State& state : graph.states()) {
    if (state.role == ir::StateRole::observer) states.erase(graph.value(state.value).name);
  }
  runtime::initialize_states(graph, experiment.seed, states);
  runtime::Executor executor = executor_for(graph, states, options);
  runtime::Batches batches(data, experiment.batch, experiment.data.normalization, {}, experiment.seed);
  const ir::TensorView inputs[] = {batches.images()};
  for (std::int64_t b = 0; b < count; ++b) {
    batches.load_training(0, b);
    observe(executor, inputs, b);
  }
}

void observe(runtime::Executor& executor, std::span<const ir::TensorView> inputs, std::int64_t batch) {
  try {
    executor.run(inputs);
  } catch (const runtime::NotFinite& fault) {
    throw Error(fmt::format("calibration, batch {}: {}", batch, fault.what()));
  }
}

}  // namespace stair::driver
