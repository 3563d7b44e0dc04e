// Layers that share weights, in training: the gradient of what two nodes read.

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "frontend/compile.h"
#include "frontend/first_values.h"
#include "frontend/readers/model_reader.h"
#include "ir/rebatch.h"
#include "passes/outputs.h"
#include "tests/support/quantized_run.h"

using namespace stair;

namespace {

ir::Graph model_of(const std::string& more) {
  return ir::with_batch(readers::read_model(ir::Json::parse(R"({"input": {"shape": [5]}, "layers": [
    {"op": "linear", "name": "a", "features": 5},
    {"op": "tanh"},
    {"op": "linear", "name": "b", "features": 5)" + more + R"(},
    {"op": "tanh"},
    {"op": "linear", "name": "fc", "features": 10}]})"),
                                            "m.json", 1),
                        4);
}

// Loss and gradients of a training step, which doesn't update, by the names of its outputs.
std::map<std::string, std::vector<float>> outputs_of(const ir::Graph& model, passes::Pipeline forward, runtime::Tensors& states) {
  for (const char* pass : {"append_loss", "autodiff"}) forward.push_back({pass});
  ir::Graph graph = passes::run(forward, model);
  runtime::initialize_states(graph, 1, states);
  runtime::Executor executor = frontend::executor_for(std::move(graph), states, {});
  const runtime::Tensor images = tests::random_images(model.type(model.inputs().front()), 3);
  runtime::Tensor labels({ir::DType::i32, {4}});
  for (int i = 0; i < 4; ++i) labels.as<std::int32_t>()[i] = 3 * i;
  const ir::TensorView inputs[] = {images.view(), labels.view()};
  executor.run(inputs);
  std::map<std::string, std::vector<float>> made;
  for (const ir::Output& output : executor.graph().outputs()) {
    const ir::TensorView view = executor.output(output.name);
    if (view.type.dtype == ir::DType::f32) made[output.name] = {view.as<float>(), view.as<float>() + view.count()};
  }
  return made;
}

}  // namespace

TEST_CASE("the gradient of shared weights is the sum of those of its uses, in float and with quantizers") {
  for (const std::string recipe : {"", R"("int8")", R"("classic")", R"({"weights": {"method": "lsq", "bits": 3}})"}) {
    CAPTURE(recipe);
    const ir::Graph shared = model_of(R"(, "weights_of": "a")");
    const ir::Graph apart = model_of("");
    runtime::Tensors states;
    runtime::initialize_states(shared, 1, states);
    runtime::Tensors copies;
    for (const auto& [name, tensor] : states) copies.emplace(name, tensor.clone());
    for (const char* name : {"weight", "bias"}) copies.emplace(std::string("b.") + name, states.at(std::string("a.") + name).clone());
    passes::Pipeline forward;
    if (!recipe.empty()) {
      const passes::Recipe chosen = passes::recipe_from_json(recipe);
      const std::vector<runtime::Tensor> first = [&] {
        std::vector<runtime::Tensor> made;
        made.push_back(tests::random_images(shared.type(shared.inputs().front()), 3));
        return made;
      }();
      frontend::give_first_values(shared, chosen, std::vector{first[0].view()}, states);
      frontend::give_first_values(apart, chosen, std::vector{first[0].view()}, copies);
      forward = passes::simulated_training(chosen, {});
    }
    const auto together = outputs_of(shared, forward, states);
    const auto each = outputs_of(apart, forward, copies);
    CHECK(together.at("loss") == each.at("loss"));
    for (const std::string name : {"weight", "bias"}) {
      const std::vector<float>& sum = together.at("grad:a." + name);
      for (std::size_t i = 0; i < sum.size(); ++i)
        CHECK(sum[i] == doctest::Approx(each.at("grad:a." + name)[i] + each.at("grad:b." + name)[i]).epsilon(1e-4));
    }
    const bool steps = recipe.find("lsq") != std::string::npos;
    CHECK(together.contains("grad:a.weight.step_2") == steps);
    if (steps) CHECK(together.at("grad:a.weight.step_2") == each.at("grad:b.weight.step"));
    if (!recipe.empty()) continue;
    float* const weight = states.at("a.weight").as<float>();
    const std::vector<float>& gradient = together.at("grad:a.weight");
    for (std::size_t i = 0; i < gradient.size(); i += 7) {
      constexpr float h = 0.01F;
      const float before = weight[i];
      weight[i] = before + h;
      const float above = outputs_of(shared, {}, states).at("loss").front();
      weight[i] = before - h;
      const float below = outputs_of(shared, {}, states).at("loss").front();
      weight[i] = before;
      CHECK(gradient[i] == doctest::Approx((above - below) / (2 * h)).epsilon(0.02));
    }
  }
}

TEST_CASE("a weight that two layers quantize is looked at once") {
  const ir::Graph model = model_of(R"(, "weights_of": "a")");
  const ir::ValueId weight = model.find("a.weight");
  const ir::ValueId layer = model.find("a");
  CHECK(passes::with_outputs(model, {weight, layer, weight}).outputs().size() == 2);
}
