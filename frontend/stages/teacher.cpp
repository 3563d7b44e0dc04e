#include "frontend/stages/teacher.h"

#include <fmt/format.h>

#include <utility>

#include "frontend/readers/trained.h"
#include "ir/error.h"

namespace stair::stages {
namespace {

std::string ends_of(const ir::Graph& model) {
  return to_string(model.type(model.inputs().front())) + " -> " + to_string(model.type(model.outputs().front().value));
}

}  // namespace

runtime::Teacher teacher_of(const readers::Experiment& experiment, std::int64_t batch, const frontend::CompileOptions& options) {
  const ir::Attributes& loss = experiment.loss.object("loss");
  if (!loss.has("teacher")) return {};
  const std::string& path = loss.text("teacher");
  const std::string where = experiment.source + " /loss/teacher: ";
  readers::Trained trained = readers::load_trained(path);
  const ir::Graph& model = trained.experiment.model;
  if (ends_of(model) != ends_of(experiment.model))
    throw Error(where + path + " computes " + ends_of(model) + ", the model " + ends_of(experiment.model) + ", expected the same");
  if (!runtime::same_normalization(trained.experiment.data.normalization, experiment.data.normalization))
    throw Error(where + path + " was trained with another mean or std than the experiment's");
  auto states = std::make_shared<runtime::Tensors>(std::move(trained.checkpoint.states));
  auto executor = std::make_shared<runtime::Executor>(frontend::compile(model, passes::float_evaluation(), batch, *states, options));
  return [states, executor](const runtime::Batch& of) {
    const ir::TensorView inputs[] = {of.images.view()};
    executor->run(inputs);
    return executor->output(executor->graph().outputs().front().name);
  };
}

}  // namespace stair::stages
