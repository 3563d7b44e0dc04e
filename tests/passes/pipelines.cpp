#include "passes/pipelines.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ir/error.h"
#include "ir/op.h"
#include "passes/analysis.h"
#include "tests/support/model_builder.h"

using namespace stair;

namespace {

using ir::Graph;
using ir::Node;
using ir::StateRole;
using ir::ValueId;
using passes::Phase;
using passes::Recipe;

Recipe recipe_of(const std::string& json) {
  return passes::recipe_from_json(json);
}

template <class Visit>
void for_each_recipe_and_model(Visit visit) {
  for (const std::string& name : ir::kind_names(passes::recipe_spec())) {
    CAPTURE(name);
    const Recipe recipe = recipe_of("\"" + name + "\"");
    visit(recipe, tests::small_lenet(2));
    visit(recipe, tests::small_mixed_net(2));
  }
}

Graph trained(const Recipe& recipe, const Graph& model, const Phase& phase) {
  return passes::run(passes::quantized_training(recipe, phase, {}, {}), model);
}

std::size_t count_ops(const Graph& graph, const std::string& op) {
  return static_cast<std::size_t>(
      std::count_if(graph.nodes().begin(), graph.nodes().end(), [&](const Node& node) { return node.op->name == op; }));
}

// States of that role that an execution updates.
std::size_t count_updates(const Graph& graph, StateRole role) {
  return static_cast<std::size_t>(std::count_if(graph.updates().begin(), graph.updates().end(),
                                                [&](const ir::Update& update) { return graph.state(update.state)->role == role; }));
}

std::size_t count_states(const Graph& graph, StateRole role) {
  return static_cast<std::size_t>(
      std::count_if(graph.states().begin(), graph.states().end(), [&](const ir::State& state) { return state.role == role; }));
}

// Whether activations become integers somewhere.
bool quantizes_activations(const Graph& graph) {
  const std::vector<bool> depends = passes::depends_on_inputs(graph);
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [&](const Node& node) {
    const ir::DType dtype = graph.type(node.results.front()).dtype;
    return depends[static_cast<std::size_t>(node.results.front())] && (dtype == ir::DType::u8 || dtype == ir::DType::s8);
  });
}

// The nodes that the output depends on, "OP TYPE" each, in order.
std::vector<std::string> forward_half(const Graph& graph, const std::string& output) {
  std::vector<bool> read(graph.values().size(), false);
  read[static_cast<std::size_t>(graph.output(output))] = true;
  std::vector<std::string> nodes;
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    const bool live =
        std::any_of(node->results.begin(), node->results.end(), [&](ValueId result) { return read[static_cast<std::size_t>(result)]; });
    if (!live) continue;
    nodes.push_back(node->op->name + " " + to_string(graph.type(node->results.front())));
    for (const ValueId operand : node->operands) {
      if (operand != ir::absent) read[static_cast<std::size_t>(operand)] = true;
    }
  }
  std::reverse(nodes.begin(), nodes.end());
  return nodes;
}

}  // namespace

TEST_CASE("the phase follows from step and schedule") {
  Recipe recipe;
  CHECK(phase_at(recipe, 0, 10) == Phase{true, true, true});
  recipe.set("schedule", "activation_delay_steps", std::int64_t{5});
  recipe.set("schedule", "freeze_observers_epoch", 1.5);
  recipe.set("schedule", "freeze_batch_norm_epoch", 2.0);
  CHECK(phase_at(recipe, 4, 10) == Phase{false, true, true});
  CHECK(phase_at(recipe, 5, 10) == Phase{true, true, true});
  CHECK(phase_at(recipe, 14, 10) == Phase{true, true, true});
  CHECK(phase_at(recipe, 15, 10) == Phase{true, false, true});
  CHECK(phase_at(recipe, 20, 10) == Phase{true, false, false});
}

TEST_CASE("in every phase each parameter is updated, weights are quantized, and there is no double precision") {
  for_each_recipe_and_model([](const Recipe& recipe, const Graph& model) {
    for (const Phase& phase : {Phase{}, Phase{false, true, true}, Phase{true, false, true}, Phase{true, true, false}}) {
      const Graph graph = trained(recipe, model, phase);
      CHECK(count_updates(graph, StateRole::parameter) == count_states(model, StateRole::parameter));
      CHECK(count_updates(graph, StateRole::parameter) == count_states(graph, StateRole::parameter));
      // Frozen observers end the training form of binary weights, whose evaluation may be with latent ones.
      if (phase.observe) CHECK(count_ops(graph, recipe.weights().text("method") == "binary" ? "binarize" : "quantize") > 0);
      CHECK(count_ops(graph, "fake_quantize") == 0);
      CHECK(count_ops(graph, "fake_binarize") == 0);
      for (const ir::Value& value : graph.values()) CHECK(value.type.dtype != ir::DType::f64);
    }
  });
}

TEST_CASE("a pre-activation network computes on integers from its first quantizer to its last layer") {
  for (const char* requantization : {"float", "fixed_point", "power_of_two"}) {
    CAPTURE(std::string(requantization));
    const Recipe recipe = recipe_of(R"({"requantization": ")" + std::string(requantization) + R"("})");
    const Graph model = tests::small_preactivation_net(2);
    const Graph deployed = passes::run(passes::deployment(recipe), model);
    for (const Node& node : deployed.nodes()) {
      CAPTURE(node.name);
      const bool last = node.results.front() == deployed.outputs().front().value;
      CHECK(ir::is_float(deployed.type(node.results.front()).dtype) == last);
    }
    CHECK(count_ops(deployed, "quantize") == 1);
    // While batch statistics are in use batch-norm runs in float, between the same quantizers.
    const Graph training = trained(recipe, model, {});
    CHECK(count_ops(training, "batch_norm") + (recipe.fold() == "weight" ? 2U : 0U) == 8);
    CHECK(count_states(training, StateRole::observer) == count_states(trained(recipe, model, {true, true, false}), StateRole::observer));
    // And stays there where the recipe says so.
    Recipe floating = recipe;
    floating.set("batch_norm", "alone", std::string("float"));
    CHECK(count_ops(passes::run(passes::deployment(floating), model), "batch_norm_inference") == 6);
  }
}

TEST_CASE("during the delay observers watch and no activation is quantized; behind it they are") {
  for_each_recipe_and_model([](const Recipe& recipe, const Graph& model) {
    const bool wanted = recipe.quantizes_activations();
    const Graph delayed = trained(recipe, model, {false, true, true});
    // Batch-norm and pooling have integer results of their own: the position of the largest.
    CHECK(count_ops(delayed, "requantize") + count_ops(delayed, "requantize_fixed") + count_ops(delayed, "linear_integer") == 0);
    CHECK((count_updates(delayed, StateRole::observer) > 0) == wanted);
    const Graph whole = trained(recipe, model, {});
    CHECK((count_ops(whole, "linear_integer") > 0) == wanted);
    CHECK(count_updates(whole, StateRole::observer) == count_updates(delayed, StateRole::observer));
    if (wanted) CHECK(quantizes_activations(whole));
  });
}

TEST_CASE("frozen observers stay as they are, and so do frozen running statistics") {
  for_each_recipe_and_model([](const Recipe& recipe, const Graph& model) {
    CHECK(count_updates(trained(recipe, model, {true, false, true}), StateRole::observer) == 0);
    CHECK(count_updates(trained(recipe, model, {}), StateRole::statistic) == count_states(model, StateRole::statistic));
    const Graph frozen = trained(recipe, model, {true, true, false});
    CHECK(count_updates(frozen, StateRole::statistic) == 0);
    CHECK(count_ops(frozen, "batch_norm") + count_ops(frozen, "batch_statistics") == 0);
  });
}

TEST_CASE("once everything is frozen the forward pass of training is that of evaluation, node by node") {
  for (const char* name : {"int8", "classic", "jacob2017", "binaryconnect"}) {
    CAPTURE(name);
    const Recipe recipe = recipe_of("\"" + std::string(name) + "\"");
    for (const Graph& model : {tests::small_lenet(2), tests::small_mixed_net(2)}) {
      const Graph evaluated = passes::run(passes::quantized_evaluation(recipe), model);
      CHECK(forward_half(trained(recipe, model, {true, false, false}), "logits") == forward_half(evaluated, "logits"));
    }
  }
}

TEST_CASE("a deployment graph has constants for states and updates none; the other graph computes exactly those") {
  for_each_recipe_and_model([](const Recipe& recipe, const Graph& model) {
    const Graph graph = passes::run(passes::deployment(recipe), model);
    CHECK(count_states(graph, StateRole::constant) == graph.states().size());
    CHECK(graph.updates().empty());
    for (const ir::Value& value : graph.values()) CHECK(value.type.dtype != ir::DType::f64);
    const Graph constants = passes::run(passes::deployment_constants(recipe), model);
    CHECK(constants.inputs().empty());
    CHECK(constants.updates().empty());
    for (const ir::State& state : graph.states()) {
      const std::string& name = graph.value(state.value).name;
      CAPTURE(name);
      CHECK(constants.type(constants.output(name)) == graph.type(state.value));
      const bool weights = graph.type(state.value).dtype == ir::DType::s8 && graph.type(state.value).shape.size() > 1;
      CHECK(state.attributes.has("bits") == weights);
    }
    CHECK(constants.outputs().size() == graph.states().size());
  });
}

TEST_CASE("with fixed-point requantization, integer bias and quantized output no float stands between first quantizer and last layer") {
  const Recipe recipe = recipe_of(R"({"base": "jacob2017"})");
  REQUIRE(recipe.quantizes_output());
  std::vector<Graph> models{tests::small_lenet(2), tests::small_mixed_net(2)};
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Graph model = tests::random_net(seed, 2);
    const bool floats = std::any_of(model.nodes().begin(), model.nodes().end(),
                                    [](const Node& node) { return node.op->integer.kind == ir::IntegerForm::Kind::none; });
    if (!floats) models.push_back(std::move(model));
  }
  CHECK(models.size() > 22);
  for (std::size_t i = 0; i < models.size(); ++i) {
    CAPTURE(i);
    const Graph graph = passes::run(passes::deployment(recipe), models[i]);
    std::size_t integer_layers = 0;
    for (const Node& node : graph.nodes()) {
      CAPTURE(node.name);
      integer_layers += node.op->name.ends_with("_integer") ? 1U : 0U;
      if (node.op->name == "quantize") {
        CHECK(graph.is_input(node.operands[0]));
      } else if (node.op->name == "dequantize") {
        CHECK(node.results[0] == graph.output("logits"));
      } else {
        for (const ValueId result : node.results) CHECK_FALSE(ir::is_float(graph.type(result).dtype));
        for (const ValueId operand : node.operands) CHECK_FALSE((operand != ir::absent && ir::is_float(graph.type(operand).dtype)));
      }
    }
    CHECK(integer_layers > 0);
  }
}

TEST_CASE("a layer whose sums may overflow is refused by name") {
  tests::ModelBuilder m({1, 70000});
  const Graph model = m.finish(m.linear(m.input(), 2));
  CHECK_THROWS_WITH_AS(passes::run(passes::quantized_evaluation(Recipe{}), model),
                       "linear_integer 'fc.sum': an int32 overflow can't be excluded: sums of 70000 terms and the bias may need 33 bits, "
                       "expected at most 32; fewer bits for its weights or inputs would do",
                       Error);
  CHECK_NOTHROW(passes::run(passes::quantized_evaluation(recipe_of(R"({"weights": {"bits": 4}})")), model));
}

TEST_CASE("a pass or an option that there isn't is named with its nearest") {
  const Graph model = tests::small_lenet(1);
  CHECK_THROWS_WITH_AS(passes::run(passes::Step{"simplifi"}, model), "unknown pass 'simplifi' (did you mean 'simplify'?)", Error);
  CHECK_THROWS_WITH_AS(passes::run(passes::Step{"fold_batch_norm", {{"fold", std::int64_t{1}}}}, model),
                       "pass 'fold_batch_norm': option 'fold' is an integer, expected a text", Error);
}

TEST_CASE("of the overrides that match layers of one group the last one in the list sets its quantizer, under every fold") {
  tests::ModelBuilder builder({2, 2, 6, 6});
  const ValueId clamped = builder.block(builder.input(), {});
  const Graph model = builder.finish(builder.linear(builder.op("flatten", {clamped}), 3));
  std::vector<std::string> patterns{"*"};
  for (const Node& node : model.nodes()) {
    if (patterns.size() < 4) patterns.push_back(node.name);  // convolution, batch-norm, ReLU
  }
  REQUIRE(model.value(clamped).name == patterns.back());
  for (const char* fold : {"scale", "weight"}) {
    for (const std::string& first : patterns) {
      for (const std::string& second : patterns) {
        CAPTURE(first);
        CAPTURE(second);
        const Recipe recipe = recipe_of(R"({"batch_norm": {"fold": ")" + std::string(fold) + R"("}, "overrides": [{"pattern": ")" + first +
                                        R"(", "activation_bits": 6}, {"pattern": ")" + second + R"(", "activation_bits": 2}]})");
        for (const passes::Pipeline& pipeline : {passes::simulated_evaluation(recipe), passes::simulated_training(recipe, {})}) {
          const Graph graph = passes::run(pipeline, model);
          const Node* quantizer = graph.producer(graph.find(patterns.back() + ".fq"));
          REQUIRE(quantizer != nullptr);
          CHECK(quantizer->attributes.integer("hi") == 3);
        }
      }
    }
  }
}
