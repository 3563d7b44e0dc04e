#include "frontend/stages/calibration.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/first_values.h"
#include "ir/error.h"
#include "ir/rebatch.h"
#include "passes/pipelines.h"

namespace stair::stages {

void calibrate_ranges(const readers::Experiment& experiment, const passes::Recipe& recipe, const runtime::Dataset& data, std::int64_t count,
                      runtime::Tensors& states, const frontend::CompileOptions& options) {
  const ir::Graph graph = passes::run(passes::calibration(recipe), ir::with_batch(experiment.model, experiment.batch));
  // What was seen before; what nothing watches stays.
  for (const ir::Update& update : graph.updates()) {
    const ir::State* state = graph.state(update.state);
    if (state->role == ir::StateRole::observer && update.value != update.state) states.erase(graph.value(update.state).name);
  }
  runtime::initialize_states(graph, experiment.seed, states);
  runtime::Executor executor = frontend::executor_for(graph, states, options);
  runtime::Batches batches(data, experiment.batch, experiment.normalizations(), {}, experiment.seed);
  batches.load_training(0, 0);
  const std::vector<ir::TensorView> inputs = batches.inputs();
  frontend::give_first_values(experiment.model, recipe, inputs, states);
  for (std::int64_t b = 0; b < count; ++b) {
    batches.load_training(0, b);
    observe(executor, inputs, b);
  }
}

std::int64_t calibration_batches(std::int64_t asked, std::int64_t available) {
  return asked > 0 ? asked : std::min<std::int64_t>(32, available);
}

void observe(runtime::Executor& executor, std::span<const ir::TensorView> inputs, std::int64_t batch) {
  try {
    executor.run(inputs);
  } catch (const runtime::NotFinite& fault) {
    throw Error(fmt::format("calibration, batch {}: {}", batch, fault.what()));
  }
}

}  // namespace stair::stages
