#include "tests/support/quantized_run.h"

#include <cmath>
#include <utility>
#include <vector>

#include "frontend/first_values.h"
#include "ir/error.h"
#include "ir/random.h"

namespace stair::tests {

runtime::Tensor random_images(const ir::Type& type, std::uint64_t seed) {
  runtime::Tensor images(type);
  for (std::int64_t i = 0; i < images.count(); ++i) {
    images.as<float>()[i] = 2 * ir::random_uniform(seed, 1, 0, static_cast<std::uint64_t>(i)) - 0.5F;
  }
  return images;
}

QuantizedRun quantized_run(ir::Graph model, const std::string& recipe, int steps, std::uint64_t seed, runtime::Tensors states) {
  QuantizedRun run{std::move(model), passes::recipe_from_json(recipe), std::move(states), {}};
  runtime::initialize_states(run.model, 0, run.states);
  const runtime::Tensor first = random_images(run.model.type(run.model.inputs().front()), seed * 1000);
  const ir::TensorView first_batch[] = {first.view()};
  frontend::give_first_values(run.model, run.recipe, first_batch, run.states);
  const std::int64_t batch = run.model.batch();
  const ir::Attributes sgd{{"optimizer", ir::Object({{"momentum", 0.9}, {"learning_rate", 0.005}})}};
  runtime::Executor executor = frontend::compile(run.model, passes::quantized_training(run.recipe, {}, {}, sgd), batch, run.states, {});
  for (int step = 0; step < steps; ++step) {
    const std::uint64_t draw = seed * 1000 + static_cast<std::uint64_t>(step);
    const runtime::Tensor images = random_images(run.model.type(run.model.inputs().front()), draw);
    runtime::Tensor labels({ir::DType::i32, {batch}});
    for (std::int64_t i = 0; i < batch; ++i) {
      labels.as<std::int32_t>()[i] = static_cast<std::int32_t>(ir::random_bits(draw, 2, 0, static_cast<std::uint64_t>(i)) % 10);
    }
    const std::vector<ir::TensorView> inputs{images.view(), labels.view()};
    executor.run(inputs);
    if (!std::isfinite(*executor.output("loss").as<float>())) throw Error("the loss of step " + std::to_string(step) + " isn't finite");
  }
  run.deployment = frontend::deploy(run.model, run.recipe, run.states);
  return run;
}

verification::Verification verify_run(QuantizedRun& run, const verification::VerifyOptions& options) {
  const ir::Type& type = run.model.type(run.model.inputs().front());
  std::vector<runtime::Tensor> images;
  for (std::uint64_t b = 0; b < 2; ++b) images.push_back(random_images(type, 777 + b));
  const std::int64_t batch = type.shape.front();
  const auto batches = [&](std::int64_t b) {
    return verification::VerifyBatch{images[static_cast<std::size_t>(b)].view(), b == 0 ? batch : batch - 1};
  };
  return verification::verify(run.model, run.recipe, run.states, run.deployment.graph, run.deployment.constants, batches, 2, options);
}

}  // namespace stair::tests
