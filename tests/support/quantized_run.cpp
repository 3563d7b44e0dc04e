#include "tests/support/quantized_run.h"

#include <cmath>
#include <utility>
#include <vector>

#include "frontend/first_values.h"
#include "ir/error.h"
#include "ir/index_inputs.h"
#include "ir/random.h"

namespace stair::tests {

runtime::Tensor random_images(const ir::Type& type, std::uint64_t seed) {
  runtime::Tensor images(type);
  if (type.dtype == ir::DType::i32) {  // indices, some beyond the table
    for (std::int64_t i = 0; i < images.count(); ++i)
      images.as<std::int32_t>()[i] = static_cast<std::int32_t>(ir::random_bits(seed, 3, 0, static_cast<std::uint64_t>(i)) % 13) - 1;
    return images;
  }
  for (std::int64_t i = 0; i < images.count(); ++i) {
    images.as<float>()[i] = 2 * ir::random_uniform(seed, 1, 0, static_cast<std::uint64_t>(i)) - 0.5F;
  }
  return images;
}

std::vector<runtime::Tensor> random_inputs(const ir::Graph& model, std::uint64_t seed) {
  std::vector<runtime::Tensor> inputs;
  for (const ir::ValueId input : model.inputs()) inputs.push_back(random_images(model.type(input), seed + 1'000'003 * inputs.size()));
  return inputs;
}

std::vector<runtime::Tensor> random_valid_inputs(const ir::Graph& model, std::uint64_t seed) {
  std::vector<runtime::Tensor> inputs = random_inputs(model, seed);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].type().dtype != ir::DType::i32) continue;
    const std::int64_t rows = ir::rows_of(model, model.inputs()[i]);
    for (std::int64_t e = 0; e < inputs[i].count(); ++e) {
      std::int32_t& index = inputs[i].as<std::int32_t>()[e];
      index = static_cast<std::int32_t>((index + rows) % rows);
    }
  }
  return inputs;
}

namespace {

// Of one output cross-entropy; of several a loss each: that, and of those beside the logits their squares.
ir::Attributes losses_of(const ir::Graph& model) {
  if (model.outputs().size() == 1 && model.outputs().front().name == "logits") return {};
  std::vector<ir::Object> losses;
  for (const ir::Output& output : model.outputs()) {
    if (!ir::is_float(model.type(output.value).dtype)) continue;
    const bool classes = output.name == "logits";
    losses.push_back(classes ? ir::Attributes{{"output", output.name}, {"kind", std::string("cross_entropy")}}
                             : ir::Attributes{{"output", output.name},
                                              {"kind", std::string("mean_squared_error")},
                                              {"target", std::string("values")},
                                              {"weight", 0.25}});
  }
  return {{"losses", losses}};
}

runtime::Tensor random_labels_like(const ir::Type& type, std::uint64_t draw) {
  runtime::Tensor labels(type);
  for (std::int64_t i = 0; i < labels.count(); ++i)
    labels.as<std::int32_t>()[i] = static_cast<std::int32_t>(ir::random_bits(draw, 2, 0, static_cast<std::uint64_t>(i)) % 10);
  return labels;
}

}  // namespace

QuantizedRun quantized_run(ir::Graph model, const std::string& recipe, int steps, std::uint64_t seed, runtime::Tensors states) {
  QuantizedRun run{std::move(model), passes::recipe_from_json(recipe), std::move(states), {}};
  runtime::initialize_states(run.model, 0, run.states);
  const std::vector<runtime::Tensor> first = random_inputs(run.model, seed * 1000);
  frontend::give_first_values(run.model, run.recipe, runtime::views_of(first), run.states);
  const std::int64_t batch = run.model.batch();
  const ir::Attributes sgd{{"optimizer", ir::Object({{"momentum", 0.9}, {"learning_rate", 0.005}})}};
  const passes::Pipeline pipeline = passes::quantized_training(run.recipe, {}, losses_of(run.model), sgd);
  runtime::Executor executor = frontend::compile(run.model, pipeline, batch, run.states, {});
  for (int step = 0; step < steps; ++step) {
    const std::uint64_t draw = seed * 1000 + static_cast<std::uint64_t>(step);
    std::vector<runtime::Tensor> fed = random_inputs(run.model, draw);
    for (std::size_t i = fed.size(); i < executor.graph().inputs().size(); ++i) {
      const ir::Type& type = executor.graph().type(executor.graph().inputs()[i]);
      fed.push_back(type.dtype == ir::DType::i32 ? random_labels_like(type, draw) : random_images(type, draw + i));
    }
    executor.run(runtime::views_of(fed));
    if (!std::isfinite(*executor.output("loss").as<float>())) throw Error("the loss of step " + std::to_string(step) + " isn't finite");
  }
  run.deployment = frontend::deploy(run.model, run.recipe, run.states);
  return run;
}

verification::Verification verify_run(QuantizedRun& run, const verification::VerifyOptions& options) {
  std::vector<std::vector<runtime::Tensor>> images;
  for (std::uint64_t b = 0; b < 2; ++b) images.push_back(random_inputs(run.model, 777 + b));
  const std::int64_t batch = run.model.batch();
  const auto batches = [&](std::int64_t b) {
    return verification::VerifyBatch{runtime::views_of(images[static_cast<std::size_t>(b)]), b == 0 ? batch : batch - 1};
  };
  return verification::verify(run.model, run.recipe, run.states, run.deployment.graph, run.deployment.constants, batches, 2, options);
}

}  // namespace stair::tests
