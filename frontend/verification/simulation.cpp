#include "frontend/verification/simulation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ir/error.h"
#include "passes/outputs.h"

namespace stair::verification {
namespace {

passes::Step realization(const passes::Recipe& recipe) {
  for (passes::Step& step : passes::quantized_evaluation(recipe)) {
    if (step.pass == "realize_integers") return step;
  }
  throw InternalError("evaluation without integers");
}

}  // namespace

struct Simulation::Impl {
  ir::Graph realized;
  std::unique_ptr<Judge> judge;
  std::optional<runtime::Executor> executor;
};

Simulation::Simulation(const ir::Graph& model, const passes::Recipe& recipe, runtime::Tensors& states, int threads)
    : impl_(std::make_unique<Impl>()) {
  const ir::Graph simulated = passes::run(passes::simulated_evaluation(recipe), model);
  passes::Result realized = passes::run(realization(recipe), simulated);
  runtime::initialize_states(realized.graph, 0, states);
  impl_->judge = std::make_unique<Judge>(simulated, realized, states, threads);
  std::vector<ir::ValueId> read = impl_->judge->constants();
  read.insert(read.end(), impl_->judge->activations().begin(), impl_->judge->activations().end());
  impl_->executor.emplace(frontend::executor_for(passes::with_outputs(realized.graph, read), states, {backends::all(), threads, 0}));
  impl_->realized = std::move(realized.graph);
}

Simulation::~Simulation() = default;

Judge& Simulation::judge() {
  return *impl_->judge;
}

void Simulation::run(std::span<const ir::TensorView> inputs) {
  impl_->executor->run(inputs);
}

ir::TensorView Simulation::value(ir::ValueId realized) const {
  return impl_->executor->output(impl_->realized.value(realized).name);
}

bool Simulation::asks(ir::ValueId realized) const {
  const std::vector<ir::ValueId>& asked = impl_->judge->activations();
  return std::find(asked.begin(), asked.end(), realized) != asked.end();
}

const ir::Graph& Simulation::realized() const {
  return impl_->realized;
}

}  // namespace stair::verification
