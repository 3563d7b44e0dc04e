#include "frontend/readers/trained.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "frontend/importer.h"
#include "ir/error.h"
#include "ir/examples.h"
#include "ir/text.h"
#include "runtime/file.h"
#include "runtime/finite.h"
#include "runtime/weights.h"

namespace stair::readers {

void check_holds(const runtime::Tensors& states, const ir::Graph& model, const std::string& path) {
  for (const ir::State& state : model.states()) {
    const ir::Value& value = model.value(state.value);
    const auto it = states.find(value.name);
    if (it == states.end()) throw Error(path + ": has no tensor '" + value.name + "', which the model expects");
    runtime::check_type(it->second, value, path + ": ");
    runtime::check_finite(it->second.view(), path + ": tensor '" + value.name + "'");
  }
}

runtime::Tensors load_states(const std::string& path) {
  if (frontend::is_model_file(path)) {
    runtime::Tensors weights = frontend::import_model(path, 0).weights;
    if (weights.empty()) throw Error(path + ": holds no weights, expected a checkpoint, weights (.safetensors) or an ONNX model");
    return weights;
  }
  const std::string bytes = runtime::read_file(path);
  if (runtime::holds_weights(bytes)) return runtime::weights_from(bytes, path);
  runtime::Checkpoint checkpoint = runtime::checkpoint_from(bytes, path);
  runtime::take_averages(checkpoint);
  return std::move(checkpoint.states);
}

std::string checkpoint_file(const std::string& run_or_checkpoint) {
  return std::filesystem::is_directory(run_or_checkpoint) ? run_or_checkpoint + "/last.safetensors" : run_or_checkpoint;
}

Trained load_trained(const std::string& run_or_checkpoint) {
  const std::string path = checkpoint_file(run_or_checkpoint);
  Trained trained;
  trained.checkpoint = runtime::load_checkpoint(path);
  runtime::take_averages(trained.checkpoint);
  trained.experiment = read_experiment(parse_json(trained.checkpoint.experiment, path + " (experiment)"), path, "");
  trained.experiment.model = ir::parse(trained.checkpoint.model, path + " (model)");
  check_model(trained.experiment.model, path + " (model)");
  if (const auto meeting = ir::where_examples_meet(trained.experiment.model)) throw Error(path + " (model): " + meeting->message);
  const std::size_t inputs = trained.experiment.model.inputs().size();
  if (const std::size_t forms = trained.checkpoint.inputs.size(); forms > 0 && forms != inputs)
    throw Error(fmt::format("{} (metadata) /inputs: has {} members, and the model {} inputs", path, forms, inputs));
  check_holds(trained.checkpoint.states, trained.experiment.model, path);
  trained.quantized = !trained.checkpoint.recipe.empty();
  trained.recipe = trained.experiment.recipe;
  if (!trained.quantized) return trained;
  trained.recipe = passes::read_recipe(parse_json(trained.checkpoint.recipe, path + ": recipe"), path + ": recipe", "");
  // Version 1 knew no N-AFFINE: no quantizer has watched what stands before a batch-norm that can't fold.
  if (trained.checkpoint.arithmetic < 2) trained.recipe.set("batch_norm", "alone", std::string("float"));
  // Nor what stands before softmax, before N-SOFTMAX.
  if (trained.checkpoint.arithmetic < 2 || !passes::states_normalization(trained.checkpoint.recipe))
    trained.recipe.set("normalization", std::string("float"));
  return trained;
}

}  // namespace stair::readers
