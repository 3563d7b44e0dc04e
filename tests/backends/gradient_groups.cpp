#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "ir/graph.h"
#include "passes/plan_memory.h"
#include "runtime/executor.h"
#include "tests/support/seeds.h"

// What gradients run through on their way back between two layers, as one kernel of openblas and node by node: the same bits.

namespace stair::tests {
namespace {

struct Group {
  ir::Graph graph;
  std::vector<runtime::Tensor> inputs;
  std::vector<ir::ValueId> inner;
  std::size_t nodes = 0;
};

class Builder {
 public:
  explicit Builder(std::uint64_t seed) : random_(seed) {}

  Group build() {
    const bool image = pick(2) == 0;
    const ir::Shape shape = image ? ir::Shape{1 + pick(4), 1 + pick(5), 1 + pick(60), 1 + pick(60)} : ir::Shape{1 + pick(9), 1 + pick(150)};
    ir::ValueId value = floats(shape);
    const bool adds = pick(2) == 0;
    const std::int64_t filter = adds ? 1 + pick(3) : pick(4);
    const bool normalizes = filter == 0 || pick(3) > 0;
    if (adds) value = emit("add", {value, floats(shape)});
    if (filter == 1) value = emit("apply_mask", {value, bytes((ir::element_count(shape) + 7) / 8)});
    if (filter == 2) value = emit("relu_grad", {value, floats(shape)});
    if (filter == 3) value = emit("relu6_grad", {value, floats(shape)});
    if (normalizes) {
      const ir::Shape channels{shape[1]};
      value = emit("batch_norm_grad", {value, floats(shape), floats(channels), floats(channels), floats(channels)});
    }
    group_.inner.pop_back();
    for (const ir::ValueId result : group_.graph.nodes().back().results) {
      group_.graph.add_output(group_.graph.value(result).name, result);
    }
    return std::move(group_);
  }

 private:
  std::int64_t pick(std::int64_t choices) { return std::uniform_int_distribution<std::int64_t>(0, choices - 1)(random_); }
  ir::ValueId emit(const char* op, std::vector<ir::ValueId> operands) {
    ++group_.nodes;
    group_.inner.push_back(group_.graph.emit(op, std::move(operands)));
    return group_.inner.back();
  }
  ir::ValueId input(ir::DType dtype, const ir::Shape& shape) {
    group_.inputs.emplace_back(ir::Type{dtype, shape});
    return group_.graph.add_input("x" + std::to_string(group_.inputs.size()), {dtype, shape});
  }
  ir::ValueId floats(const ir::Shape& shape) {
    const ir::ValueId id = input(ir::DType::f32, shape);
    std::uniform_real_distribution<float> draw(-8, 8);
    for (std::int64_t i = 0; i < group_.inputs.back().view().count(); ++i) group_.inputs.back().as<float>()[i] = draw(random_);
    return id;
  }
  ir::ValueId bytes(std::int64_t count) {
    const ir::ValueId id = input(ir::DType::u8, {count});
    for (std::int64_t i = 0; i < count; ++i) group_.inputs.back().as<std::uint8_t>()[i] = static_cast<std::uint8_t>(pick(256));
    return id;
  }

  std::mt19937_64 random_;
  Group group_;
};

// All outputs of the graph after one run, and in how many steps.
std::pair<std::string, std::size_t> run(const Group& group, const ir::Graph& graph, int threads) {
  runtime::Tensors states;
  const auto planner = [](const ir::Graph& of, const ir::Schedule& schedule) { return passes::plan_memory(of, schedule); };
  runtime::Executor executor(graph, planner, states, {{&backends::named("openblas")}, threads});
  std::vector<ir::TensorView> inputs;
  for (const runtime::Tensor& tensor : group.inputs) inputs.push_back(tensor.view());
  executor.run(inputs);
  std::string bits;
  for (const ir::Output& output : group.graph.outputs()) {
    const ir::TensorView view = executor.output(output.name);
    bits.append(view.as<char>(), ir::byte_count(view.type));
  }
  return {bits, executor.assignments().size()};
}

}  // namespace

TEST_CASE("gradients between two layers run as one kernel, with the bits of its nodes alone") {
  for (const std::uint64_t seed : seeds(150)) {
    INFO(replay(seed));
    const Group group = Builder(seed).build();
    ir::Graph apart = group.graph;  // an output reads each value, so that none is within a group
    for (const ir::ValueId value : group.inner) apart.add_output(apart.value(value).name, value);
    const auto [expected, steps] = run(group, apart, 1);
    REQUIRE(steps == group.nodes);
    for (const int threads : {1, 2, 3}) {
      CAPTURE(threads);
      const auto [found, together] = run(group, group.graph, threads);
      CHECK(together == 1);
      CHECK((found == expected));
    }
  }
}

}  // namespace stair::tests
