#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "frontend/compile.h"
#include "tests/support/model_builder.h"

// What a clause of docs/numerics.md promises of whole models.

using namespace stair;

namespace {

void set_state(runtime::Tensors& states, const std::string& name, const ir::Shape& shape, const std::vector<float>& values) {
  runtime::Tensor tensor({ir::DType::f32, shape});
  for (std::int64_t i = 0; i < tensor.count(); ++i) tensor.as<float>()[i] = values[static_cast<std::size_t>(i) % values.size()];
  states.insert_or_assign(name, std::move(tensor));
}

// Logits of one input under the recipe, after a calibration that sees the input and its multiples.
std::vector<float> quantized_logits(const ir::Graph& model, runtime::Tensors& states, const passes::Recipe& recipe, float largest) {
  const std::int64_t batch = model.batch();
  runtime::Tensor images(model.type(model.inputs().front()));
  for (std::int64_t i = 0; i < images.count(); ++i) images.as<float>()[i] = largest * static_cast<float>(i % 8) / 7;
  const ir::TensorView inputs[] = {images.view()};
  frontend::compile(model, passes::calibration(recipe), batch, states, {}).run(inputs);
  frontend::Deployment deployment = frontend::deploy(model, recipe, states);
  runtime::Executor executor = frontend::executor_for(std::move(deployment.graph), deployment.constants, {});
  runtime::Tensor one({ir::DType::f32, {1, images.type().shape[1]}});
  std::copy_n(images.as<float>(), one.count(), one.as<float>());
  const ir::TensorView first[] = {one.view()};
  executor.run(first);
  const ir::TensorView logits = executor.output("logits");
  return {logits.as<float>(), logits.as<float>() + logits.count()};
}

}  // namespace

TEST_CASE("N-BIAS: the bias of a channel whose weights are all 0, or tiny, comes through, whatever the recipe") {
  for (const float largest : {1.0F, 1000.0F}) {
    for (const bool tiny : {false, true}) {
      for (const char* json : {R"("int8")", R"({"weights": {"granularity": "per_tensor"}})", R"({"requantization": "fixed_point"})",
                               R"({"requantization": "power_of_two"})", R"({"bias": "float32"})"}) {
        CAPTURE(largest);
        CAPTURE(tiny);
        CAPTURE(std::string(json));
        tests::ModelBuilder m({4, 8});
        const ir::Graph model = m.finish(m.linear(m.input(), 4));
        runtime::Tensors states;
        std::vector<float> weights(32, 0.01F);
        for (int i = 0; i < 8; ++i) weights[static_cast<std::size_t>(8 + i)] = tiny ? 1e-6F / largest * static_cast<float>(i + 1) : 0.0F;
        set_state(states, "fc.weight", {4, 8}, weights);
        set_state(states, "fc.bias", {4}, {0, 0.4F, 0, 0});
        const float found = quantized_logits(model, states, passes::recipe_from_json(json), largest)[1];
        // 1e-6 * (1 * 0 + 2 * 1 / 7 + ... + 8 * 7 / 7) is 2.4e-5 at most; a step is 0.4 / 2^20 or what the weights of the tensor have.
        const bool shared =
            std::string(json).find("per_tensor") != std::string::npos || std::string(json).find("power") != std::string::npos;
        CHECK(std::abs(found - 0.4F) <= (shared ? 2e-4F * largest : 0.4F / 1048576 + (tiny ? 2.5e-5F : 0.0F)));
      }
    }
  }
}

TEST_CASE("N-STE: a weight that is the largest of its channel moves") {
  tests::ModelBuilder m({2, 1});
  const ir::Graph model = m.finish(m.linear(m.input(), 2, false));
  for (const float first : {0.15F, 0.1F, 0.7F, 0.013F}) {
    runtime::Tensors states;
    set_state(states, "fc.weight", {2, 1}, {first, -first});
    const ir::Attributes sgd{{"optimizer", ir::Object({{"learning_rate", 0.1}})}};
    runtime::Executor executor =
        frontend::compile(model, passes::quantized_training(passes::recipe_from_json("\"int8\""), {}, {}, sgd), 2, states, {});
    runtime::Tensor images({ir::DType::f32, {2, 1}});
    runtime::Tensor labels({ir::DType::i32, {2}});
    images.as<float>()[0] = images.as<float>()[1] = 1;
    labels.as<std::int32_t>()[0] = labels.as<std::int32_t>()[1] = 1;
    const std::vector<ir::TensorView> inputs{images.view(), labels.view()};
    float last = first;
    for (int step = 0; step < 20; ++step) {
      executor.run(inputs);
      const float weight = states.find("fc.weight")->second.as<float>()[0];
      CHECK(weight < last);
      last = weight;
    }
  }
}
