#include "runtime/executor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "frontend/compile.h"
#include "ir/op.h"
#include "ir/random.h"
#include "ir/text.h"
#include "passes/plan_memory.h"
#include "tests/runtime/support.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"
#include "tests/support/seeds.h"

using namespace stair;
using runtime::Executor;
using tests::error_of;

namespace {

// Every value at a place of its own; updates are copied at the end.
ir::MemoryPlan unshared_plan(const ir::Graph& graph, const ir::Schedule&) {
  using Kind = ir::MemoryPlan::Placement::Kind;
  ir::MemoryPlan plan;
  for (std::size_t i = 0; i < graph.values().size(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    if (graph.is_input(id)) {
      plan.placements.push_back({Kind::input, 0, ir::absent});
    } else if (graph.state(id) != nullptr) {
      plan.placements.push_back({Kind::state, 0, id});
    } else {
      plan.placements.push_back({Kind::arena, plan.arena_bytes, ir::absent});
      plan.arena_bytes += (ir::byte_count(graph.type(id)) + 63) / 64 * 64;
    }
  }
  return plan;
}

// Runs the training graph under both plans over the same batches and compares all outputs and states after each step.
void check_plans(const ir::Graph& graph, std::uint64_t seed) {
  runtime::Tensors shared_states;
  runtime::initialize_states(graph, seed, shared_states);
  runtime::Tensors own_states = tests::cloned(shared_states);
  const auto planned = [](const ir::Graph& of, const ir::Schedule& schedule) { return passes::plan_memory(of, schedule); };
  Executor shared(graph, planned, shared_states, {backends::all(), 1});
  Executor direct(graph, unshared_plan, own_states, {backends::all(), 1});
  CHECK(shared.arena_bytes() < direct.arena_bytes());
  for (std::uint64_t step = 0; step < 3; ++step) {
    CAPTURE(step);
    const runtime::Tensor images = tests::random_images(graph.type(graph.inputs()[0]), seed * 10 + step);
    runtime::Tensor labels(graph.type(graph.inputs()[1]));
    for (std::int64_t i = 0; i < labels.count(); ++i) {
      labels.as<std::int32_t>()[i] = static_cast<std::int32_t>(ir::random_bits(seed, 2, step, static_cast<std::uint64_t>(i)) % 10);
    }
    const std::vector<ir::TensorView> inputs{images.view(), labels.view()};
    shared.run(inputs);
    direct.run(inputs);
    for (const ir::Output& output : graph.outputs()) {
      CAPTURE(output.name);
      CHECK(tests::same_bytes(shared.output(output.name), direct.output(output.name)));
    }
    CHECK(tests::differing(shared_states, own_states) == "");
  }
}

// A graph in text form over states that its initializers make.
struct Small {
  ir::Graph graph;
  runtime::Tensors states;
  Executor executor;
  explicit Small(const std::string& text) : graph(ir::parse(text, "text")), executor(make()) {}
  Executor make() {
    runtime::initialize_states(graph, 0, states);
    return frontend::executor_for(graph, states, {});
  }
  void run(float x) {
    runtime::Tensor input(graph.type(graph.inputs().front()));
    *input.as<float>() = x;
    const std::vector<ir::TensorView> inputs{input.view()};
    executor.run(inputs);
  }
  float state(const char* name) const { return *states.find(name)->second.as<float>(); }
  float output(const char* name) const { return *executor.output(name).as<float>(); }
};

}  // namespace

TEST_CASE("sharing memory changes no bit of a float training step") {
  for (const std::uint64_t seed : tests::seeds(12)) {
    INFO(tests::replay(seed));
    const ir::Attributes optimizers[] = {{{"optimizer", std::string("sgd")}},
                                         {{"optimizer", ir::Object({{"momentum", 0.9}, {"weight_decay", 0.01}, {"max_norm", 1.0}})}},
                                         {{"optimizer", ir::Object({{"kind", std::string("adamw")}, {"weight_decay", 0.01}})}}};
    const passes::Pipeline pipeline = passes::float_training({}, optimizers[seed % 3]);
    check_plans(passes::run(pipeline, tests::random_net(seed, 4)), seed);
  }
}

TEST_CASE("sharing memory changes no bit of a quantized training step") {
  const char* const recipes[] = {R"("int8")", R"("jacob2017")", R"({"weights": {"bits": 3}, "activations": {"bits": 4}})",
                                 R"({"requantization": "power_of_two"})"};
  for (const std::uint64_t seed : tests::seeds(12)) {
    INFO(tests::replay(seed));
    const passes::Recipe recipe = passes::recipe_from_json(recipes[seed % 4]);
    const ir::Attributes sgd{{"optimizer", ir::Object({{"momentum", 0.9}})}};
    check_plans(passes::run(passes::quantized_training(recipe, {}, {}, sgd), tests::random_net(seed, 4)), seed);
  }
}

TEST_CASE("a hook that throws at the loss leaves all states as they were") {
  struct Stop {};
  const char* const recipes[] = {R"("int8")", R"("jacob2017")", R"({"batch_norm": {"fold": "weight"}})", R"("binaryconnect")"};
  for (const std::uint64_t seed : tests::seeds(8)) {
    INFO(tests::replay(seed));
    const passes::Recipe recipe = passes::recipe_from_json(recipes[seed % 4]);
    const ir::Attributes adam{{"optimizer", std::string("adam")}};
    const ir::Graph graph = passes::run(passes::quantized_training(recipe, {}, {}, adam), tests::random_net(seed, 4));
    runtime::Tensors states;
    runtime::initialize_states(graph, seed, states);
    const runtime::Tensors before = tests::cloned(states);
    Executor executor = frontend::executor_for(graph, states, {});
    const ir::ValueId loss = executor.graph().output("loss");
    executor.set_hook([&](std::span<const ir::ValueId> values, std::span<const ir::TensorView>) {
      if (values.front() == loss) throw Stop{};
    });
    const runtime::Tensor images = tests::random_images(graph.type(graph.inputs()[0]), seed);
    const runtime::Tensor labels(graph.type(graph.inputs()[1]));
    const std::vector<ir::TensorView> inputs{images.view(), labels.view()};
    CHECK_THROWS_AS(executor.run(inputs), Stop);
    CHECK(tests::differing(states, before) == "");
    executor.set_hook({});
    executor.run(inputs);
    CHECK(tests::differing(states, before) != "");
  }
}

TEST_CASE("inputs that don't fit the graph are refused") {
  Small small("sir 1\ngraph \"g\"\n%x = input : f32[1,2]\n%y = relu(%x)\noutput y = %y\n");
  const runtime::Tensor wrong_shape({ir::DType::f32, {2, 2}});
  const runtime::Tensor wrong_type({ir::DType::f64, {1, 2}});
  const std::vector<ir::TensorView> shape{wrong_shape.view()};
  const std::vector<ir::TensorView> type{wrong_type.view()};
  CHECK(error_of([&] { small.executor.run(shape); }) == "input 'x' is f32[2,2], expected f32[1,2]");
  CHECK(error_of([&] { small.executor.run(type); }) == "input 'x' is f64[1,2], expected f32[1,2]");
  CHECK(error_of([&] { small.executor.run({}); }) == "graph 'g' was fed 0 inputs, expected 1");
  CHECK(error_of([&] { small.executor.output("z"); }).find("'z'") != std::string::npos);
}

TEST_CASE("states of another type are refused") {
  const ir::Graph graph = ir::parse(
      "sir 1\ngraph \"g\"\n%x = input : f32[1]\n%a = state counter constant(1.0) : f32[1]\n%y = add(%x, %a)\noutput y = %y\n", "t");
  runtime::Tensors states;
  states.emplace("a", runtime::Tensor({ir::DType::f32, {2}}));
  CHECK(error_of([&] { frontend::executor_for(graph, states, {}); }) == "tensor 'a' is f32[2], the model expects f32[1]");
}

TEST_CASE("the hook sees the results of every step, in order") {
  tests::QuantizedRun run = tests::quantized_run(tests::small_mixed_net(2), R"("int8")", 1);
  Executor executor = frontend::executor_for(run.deployment.graph, run.deployment.constants, {});
  const ir::Graph& graph = executor.graph();
  const runtime::Tensor images = tests::random_images(graph.type(graph.inputs().front()), 1);
  const std::vector<ir::TensorView> inputs{images.view()};
  std::vector<std::string> seen;
  runtime::Tensor last;
  executor.set_hook([&](std::span<const ir::ValueId> values, std::span<const ir::TensorView> results) {
    seen.push_back(graph.producer(values.back())->name);
    REQUIRE(results.size() == values.size());
    for (std::size_t i = 0; i < results.size(); ++i) CHECK(results[i].type == graph.type(values[i]));
    last = runtime::Tensor(results.front().type);
    std::memcpy(last.view().data, results.front().data, last.bytes());
  });
  executor.run(inputs);
  std::vector<std::string> expected;
  for (const Executor::Assignment& step : executor.assignments()) expected.push_back(step.node);
  CHECK(seen == expected);
  CHECK(tests::same_bytes(last.view(), executor.output(graph.outputs().front().name)));
  executor.set_hook({});
  executor.run(inputs);
  CHECK(seen == expected);
}

TEST_CASE("a group that would run behind what reads its results is refused") {
  // Takes the first and the last node of a graph together.
  class MinMaxLanes : public backends::Backend {
   public:
    std::string_view name() const override { return "ends"; }
    std::string_view summary() const override { return ""; }
    backends::Answer supports_op(std::string_view) const override { return backends::Answer::can(); }
    backends::Answer supports(const ir::Graph&, const ir::Node&) const override { return backends::Answer::can(); }
    std::vector<ir::NodeId> group(const ir::Graph& graph, const ir::Uses&, ir::NodeId first,
                                  const std::function<bool(ir::NodeId)>&) const override {
      if (first != 0) return {first};
      return {0, static_cast<ir::NodeId>(graph.nodes().size()) - 1};
    }
    std::unique_ptr<backends::Kernel> prepare(const ir::Graph&, std::span<const ir::NodeId>, backends::Constants) const override {
      return nullptr;
    }
  };
  const MinMaxLanes ends;
  const ir::Graph graph =
      ir::parse("sir 1\ngraph \"g\"\n%x = input : f32[1]\n%a = relu(%x)\n%b = relu(%a)\n%c = add(%a, %b)\noutput c = %c\n", "t");
  runtime::Tensors states;
  CHECK_THROWS_WITH_AS(frontend::executor_for(graph, states, {{&ends}, 1, 0}),
                       "backend ends runs 'a' in a group, behind what reads its results", InternalError);
}

TEST_CASE("every node is assigned, the preferred backend first") {
  tests::QuantizedRun run = tests::quantized_run(tests::small_lenet(2), R"("int8")", 1);
  const auto executor_of = [&](std::vector<const backends::Backend*> preferred) {
    return frontend::executor_for(run.deployment.graph, run.deployment.constants, {std::move(preferred), 1, 0});
  };
  for (const Executor& executor :
       {executor_of({}), executor_of({&backends::named("reference")}), executor_of({&backends::named("openblas")})}) {
    REQUIRE(executor.assignments().size() == executor.graph().nodes().size());
    for (std::size_t i = 0; i < executor.assignments().size(); ++i) {
      const Executor::Assignment& assignment = executor.assignments()[i];
      CHECK(assignment.node == executor.graph().nodes()[i].name);
      CHECK(assignment.op == executor.graph().nodes()[i].op->name);
      CHECK(!assignment.kernel.empty());
      CHECK((assignment.backend == "reference" || assignment.declined.empty()));
    }
  }
}

namespace {
// Runs relu followed by add as one kernel: result = max(x, 0) + other.
class Fusing : public backends::Backend {
 public:
  std::string_view name() const override { return "fusing"; }
  std::string_view summary() const override { return "of a test"; }
  backends::Answer supports_op(std::string_view op) const override {
    return op == "relu" ? backends::Answer::can() : backends::Answer::cannot("no relu");
  }
  backends::Answer supports(const ir::Graph& graph, const ir::Node& node) const override {
    const bool fuses = group(graph, ir::Uses(graph), graph.value(node.results[0]).producer, [](ir::NodeId) { return true; }).size() > 1;
    return fuses ? backends::Answer::can() : backends::Answer::cannot("no add behind it");
  }
  std::vector<ir::NodeId> group(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                const std::function<bool(ir::NodeId)>& free) const override {
    const ir::Node& relu = graph.node(first);
    if (relu.op->name != "relu" || !uses.single(relu.results[0])) return {first};
    const ir::NodeId next = uses.nodes[static_cast<std::size_t>(relu.results[0])].front();
    const ir::Node& add = graph.node(next);
    return add.op->name == "add" && add.operands[0] == relu.results[0] && free(next) ? std::vector<ir::NodeId>{first, next}
                                                                                     : std::vector<ir::NodeId>{first};
  }
  std::unique_ptr<backends::Kernel> prepare(const ir::Graph&, std::span<const ir::NodeId> nodes,
                                            backends::Constants constants) const override {
    REQUIRE(nodes.size() == 2);
    known = std::count_if(constants.begin(), constants.end(), [](const ir::TensorView& tensor) { return tensor.data != nullptr; });
    return std::make_unique<ReluAdd>();
  }
  mutable std::ptrdiff_t known = 0;  // constants that the last preparation was told of

 private:
  class ReluAdd : public backends::Kernel {
   public:
    void run(const backends::Arguments& a) override {
      REQUIRE(a.operands.size() == 3);
      CHECK(a.operands[1].data == nullptr);
      *a.results[0].as<float>() = std::max(*a.operands[0].as<float>(), 0.0F) + *a.operands[2].as<float>();
    }
    std::string_view description() const override { return "relu, then add"; }
  };
};

}  // namespace

TEST_CASE("a group is one kernel where its last node stands; what others read isn't taken in") {
  const Fusing fusing;
  runtime::Tensors states;
  const auto outputs_of = [&](const char* body, std::size_t steps) {
    const ir::Graph graph =
        ir::parse(std::string("sir 1\ngraph \"g\"\n%x = input : f32[1]\n%k = state constant constant(5.0) : f32[1]\n") + body, "text");
    runtime::initialize_states(graph, 0, states);
    Executor executor = frontend::executor_for(graph, states, {{&fusing}, 1, 0});
    CHECK(executor.assignments().size() == steps);
    runtime::Tensor x(graph.type(graph.inputs().front()));
    *x.as<float>() = 3;
    const ir::TensorView inputs[] = {x.view()};
    executor.run(inputs);
    for (const Executor::Assignment& step : executor.assignments()) {
      if (step.backend != "fusing") continue;
      CHECK(step.node == "sum");
      CHECK(step.op == "relu + add");
      CHECK(step.kernel == "relu, then add");
      CHECK(step.declined.empty());
    }
    return *executor.output("sum").as<float>();
  };
  // The other operand is computed between the group's nodes.
  CHECK(outputs_of("%a = negate(%x)\n%r = relu(%x)\n%b = mul(%a, %k)\n%sum = add(%r, %b)\noutput sum = %sum\n", 3) == -12);
  CHECK(fusing.known == 1);
  CHECK(outputs_of("%r = relu(%x)\n%b = mul(%r, %k)\n%sum = add(%r, %b)\noutput sum = %sum\n", 3) == 18);
  CHECK(outputs_of("%r = relu(%x)\n%sum = add(%r, %k)\noutput r = %r\noutput sum = %sum\n", 2) == 8);
}

TEST_CASE("updates take effect together, after the last node") {
  Small swap(R"(sir 1
graph "swap"
%x = input : f32[1]
%a = state counter constant(1.0) : f32[1]
%b = state counter constant(2.0) : f32[1]
%c = state counter constant(3.0) : f32[1]
%sum = add(%x, %a) : f32[1]
output sum = %sum
update %a = %b
update %b = %c
update %c = %a
)");
  swap.run(10);
  CHECK(swap.output("sum") == 11);
  CHECK(swap.state("a") == 2);
  CHECK(swap.state("b") == 3);
  CHECK(swap.state("c") == 1);
  swap.run(10);
  CHECK(swap.output("sum") == 12);
  CHECK(swap.state("a") == 3);
}

TEST_CASE("a state that another one follows gives it its old value") {
  Small delay(R"(sir 1
graph "delay"
%x = input : f32[1]
%a = state counter constant(1.0) : f32[1]
%previous = state counter constant(0.0) : f32[1]
%next = add(%a, %x) : f32[1]
%late = relu(%next) : f32[1]
output late = %late
update %a = %next
update %previous = %a
)");
  delay.run(10);
  CHECK(delay.state("a") == 11);
  CHECK(delay.state("previous") == 1);
  delay.run(10);
  CHECK(delay.state("a") == 21);
  CHECK(delay.state("previous") == 11);
}

TEST_CASE("one value may update two states, and an output that is a state shows what the execution saw") {
  Small small(R"(sir 1
graph "g"
%x = input : f32[1]
%a = state counter constant(1.0) : f32[1]
%b = state counter constant(2.0) : f32[1]
%next = add(%a, %x) : f32[1]
output a = %a
update %a = %next
update %b = %next
)");
  small.run(10);
  CHECK(small.output("a") == 1);
  CHECK(small.state("a") == 11);
  CHECK(small.state("b") == 11);
  small.run(10);
  CHECK(small.output("a") == 11);
  CHECK(small.state("a") == 21);
}
