#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <set>

#include "frontend/readers/model_reader.h"
#include "frontend/verification/verification_report.h"
#include "ir/op.h"
#include "ir/random.h"
#include "ir/text.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"
#include "tests/support/seeds.h"

using namespace stair;
using ir::Graph;

namespace {

const ir::Attributes momentum{{"optimizer", ir::Object({{"momentum", 0.9}, {"max_norm", 1.0}})}};
const ir::Attributes adamw_attributes{{"optimizer", std::string("adamw")}};

std::vector<passes::Pipeline> pipelines(const passes::Recipe& recipe) {
  using passes::StepPart;
  std::vector<passes::Pipeline> all{passes::float_evaluation(),           passes::float_deployment(),           passes::calibration(recipe),
                                    passes::simulated_evaluation(recipe), passes::quantized_evaluation(recipe), passes::deployment(recipe),
                                    passes::deployment_constants(recipe)};
  for (const StepPart part : {StepPart::whole, StepPart::shard, StepPart::update}) {
    all.push_back(passes::float_training({}, momentum, part));
    all.push_back(passes::quantized_training(recipe, {}, {}, adamw_attributes, part));
    all.push_back(passes::quantized_training(recipe, {false, true, true}, {}, momentum, part));
    all.push_back(passes::quantized_training(recipe, {true, false, false}, {}, momentum, part));
  }
  return all;
}

// What a layer could be called to be in the way: every name that some pass gives to something, on its way too.
std::vector<std::string> generated_names(const Graph& model, const passes::Recipe& recipe) {
  std::set<std::string> names;
  const auto collect = [&](const Graph& graph) {
    for (const ir::Value& value : graph.values()) names.insert(value.name);
    for (const ir::Output& output : graph.outputs()) names.insert(output.name);
  };
  for (const passes::Pipeline& pipeline : pipelines(recipe)) {
    passes::run(pipeline, model, [&](const passes::Step&, const passes::Result& result) { collect(result.graph); });
  }
  for (const ir::Node& node : model.nodes()) names.erase(node.name);
  for (const ir::ValueId input : model.inputs()) names.erase(model.value(input).name);
  return {names.begin(), names.end()};
}

// The model with other names for its layers; their parameters are called as the reader would call them. `states` gets the old name of each
// state by the new one.
Graph renamed(const Graph& model, const std::map<std::string, std::string>& layers, std::map<std::string, std::string>& states) {
  Graph made;
  made.name = model.name;
  std::set<std::string, std::less<>> kept;
  for (const auto& [before, after] : layers) kept.insert(after);
  for (const ir::ValueId input : model.inputs()) kept.insert(model.value(input).name);
  made.keep_names(kept);
  std::vector<ir::ValueId> map(model.values().size(), ir::absent);
  for (const ir::ValueId input : model.inputs()) {
    map[static_cast<std::size_t>(input)] = made.add_input(model.value(input).name, model.type(input));
  }
  for (const ir::State& state : model.states()) {
    const std::string& before = model.value(state.value).name;
    std::string after;
    for (const ir::Node& node : model.nodes()) {
      const bool owns = before.starts_with(node.name + ".") && before.find('.', node.name.size() + 1) == std::string::npos;
      if (owns) after = made.derived(layers.at(node.name), before.substr(node.name.size() + 1));
    }
    REQUIRE(!after.empty());
    states[after] = before;
    map[static_cast<std::size_t>(state.value)] = made.add_state(after, model.type(state.value), state);
  }
  for (const ir::Node& node : model.nodes()) {
    std::vector<ir::ValueId> operands;
    for (const ir::ValueId operand : node.operands)
      operands.push_back(operand == ir::absent ? operand : map[static_cast<std::size_t>(operand)]);
    const ir::Node& copy = made.add(node.op->name, operands, node.attributes, layers.at(node.name));
    for (std::size_t i = 0; i < node.results.size(); ++i) map[static_cast<std::size_t>(node.results[i])] = copy.results[i];
  }
  for (const ir::Output& output : model.outputs()) made.add_output(output.name, map[static_cast<std::size_t>(output.value)]);
  for (const ir::Update& update : model.updates())
    made.add_update(map[static_cast<std::size_t>(update.state)], map[static_cast<std::size_t>(update.value)]);
  made.keep_names();
  return made;
}

}  // namespace

TEST_CASE("layers that are called what passes call something train, verify and deploy as others do") {
  const char* const recipes[] = {R"("int8")", R"({"requantization": "fixed_point"})", R"({"batch_norm": {"fold": "weight"}})",
                                 R"({"weights": {"bits": 4}, "quantize_output": true})", R"("binaryconnect_stochastic")"};
  for (const std::uint64_t seed : tests::seeds(10)) {
    INFO(tests::replay(seed));
    const std::string recipe = recipes[seed % 5];
    CAPTURE(recipe);
    const Graph model = tests::random_net(seed, 3);
    const std::vector<std::string> taken = generated_names(model, passes::recipe_from_json(recipe));
    std::map<std::string, std::string> layers;
    std::set<std::string> used;
    std::uint64_t draws = 0;
    for (const ir::Node& node : model.nodes()) {
      std::string name;
      do {
        name = taken[ir::random_bits(seed, 41, 0, draws++) % taken.size()];
      } while (!used.insert(name).second);
      layers[node.name] = name;
    }
    std::map<std::string, std::string> old_names;
    const Graph other = renamed(model, layers, old_names);
    INFO(ir::print(other));

    // A checkpoint holds the text; what is made of it has the same names.
    const Graph read = ir::parse(ir::print(other), "text");
    for (const passes::Pipeline& pipeline : pipelines(passes::recipe_from_json(recipe))) {
      const Graph graph = passes::run(pipeline, other);
      CHECK(ir::print(passes::run(pipeline, read)) == ir::print(graph));
      for (const auto& [before, after] : layers) {
        // Wherever the layer still stands, it has its name; nothing else has.
        if (const ir::Node* node = graph.producer(graph.find(after)); node != nullptr) CHECK(node->name == after);
      }
    }

    runtime::Tensors first;
    runtime::initialize_states(model, seed, first);
    runtime::Tensors first_of_other;
    for (const auto& [after, before] : old_names) first_of_other.emplace(after, first.find(before)->second.clone());
    tests::QuantizedRun plain = tests::quantized_run(model, recipe, 2, seed, std::move(first));
    tests::QuantizedRun run = tests::quantized_run(other, recipe, 2, seed, std::move(first_of_other));
    const Graph& a = plain.deployment.graph;
    const Graph& b = run.deployment.graph;
    REQUIRE(a.states().size() == b.states().size());
    REQUIRE(a.nodes().size() == b.nodes().size());
    for (std::size_t i = 0; i < a.states().size(); ++i) {
      const runtime::Tensor& expected = plain.deployment.constants.find(a.value(a.states()[i].value).name)->second;
      const runtime::Tensor& found = run.deployment.constants.find(b.value(b.states()[i].value).name)->second;
      REQUIRE(expected.bytes() == found.bytes());
      CHECK(std::memcmp(expected.as<char>(), found.as<char>(), expected.bytes()) == 0);
    }
    const verification::Verification report = tests::verify_run(run);
    INFO(verification::describe(report));
    CHECK(report.holds());
    const verification::Verification of_plain = tests::verify_run(plain);
    CHECK(report.elements() == of_plain.elements());
    CHECK(report.judged() == of_plain.judged());
    CHECK(report.not_stored() == of_plain.not_stored());
  }
}

TEST_CASE("states of a model without collisions are called as ever") {
  const Graph model = tests::small_lenet(2);
  const Graph graph = passes::run(passes::quantized_training(passes::recipe_from_json(R"("int8")"), {}, {}, momentum), model);
  for (const char* name : {"x.min", "x.max", "relu.min", "conv.weight", "conv.weight.momentum", "bn.gamma.momentum", "step"}) {
    CAPTURE(std::string(name));
    CHECK(graph.state(graph.find(name)) != nullptr);
  }
  // A block's layers aren't in the way of a layer that is called as the block is.
  const Graph nested = readers::read_model(ir::Json::parse(R"({"input": {"shape": [4]}, "layers": [
      {"op": "linear", "name": "a", "features": 4}, {"op": "relu", "name": "a.act"}, {"op": "linear", "name": "b", "features": 3}]})"),
                                           "m.json", 0);
  const Graph trained = passes::run(passes::quantized_training(passes::recipe_from_json(R"("int8")"), {}, {}, momentum), nested);
  for (const char* name : {"a.weight.momentum", "a.act.min"}) CHECK(trained.state(trained.find(name)) != nullptr);
}

TEST_CASE("names within blocks are kept, too") {
  const Graph model = readers::read_model(ir::Json::parse(R"({"input": {"shape": [4]}, "blocks": {"b": {"layers": [
      {"op": "linear", "name": "c", "features": 4}, {"op": "relu", "name": "c.weight"}, {"op": "tanh", "name": "c.bias.momentum"}]}},
      "layers": [{"block": "b", "repeat": 2}, {"op": "linear", "name": "b.0.c.sum", "features": 3}]})"),
                                          "m.json", 0);
  for (const char* name : {"b.0.c", "b.0.c.weight", "b.1.c.bias.momentum", "b.0.c.sum"}) {
    CAPTURE(std::string(name));
    REQUIRE(model.producer(model.find(name)) != nullptr);
  }
  CHECK(model.state(model.find("b.0.c_2.weight")) != nullptr);
  CHECK(model.state(model.find("b.0.c.bias")) != nullptr);
}
