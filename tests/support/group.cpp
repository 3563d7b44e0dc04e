#include "tests/support/group.h"

#include <doctest/doctest.h>

#include "backends/backend.h"
#include "passes/plan_memory.h"
#include "runtime/executor.h"

namespace stair::tests {
namespace {

// The backend, each node alone.
class Alone : public backends::Backend {
 public:
  explicit Alone(const backends::Backend& backend) : backend_(backend) {}
  std::string_view name() const override { return backend_.name(); }
  std::string_view summary() const override { return backend_.summary(); }
  backends::Answer supports_op(std::string_view op) const override { return backend_.supports_op(op); }
  backends::Answer supports(const ir::Graph& graph, const ir::Node& node) const override { return backend_.supports(graph, node); }
  std::unique_ptr<backends::Kernel> prepare(const ir::Graph& graph, std::span<const ir::NodeId> nodes,
                                            backends::Constants constants) const override {
    return backend_.prepare(graph, nodes, constants);
  }

 private:
  const backends::Backend& backend_;
};

// All outputs of the graph after one run.
std::string run(const Group& group, const std::vector<const backends::Backend*>& preferred, int threads, std::size_t kernels) {
  runtime::Tensors states;
  const auto planner = [](const ir::Graph& of, const ir::Schedule& schedule) { return passes::plan_memory(of, schedule); };
  runtime::Executor executor(group.graph, planner, states, {preferred, threads});
  CHECK(executor.assignments().size() == kernels);
  for (const auto& assignment : executor.assignments()) {
    const bool of_parameters = assignment.op == "affine_parameters" || assignment.op == "clamp_range";
    CHECK((assignment.backend != "reference" || of_parameters));
  }
  std::vector<ir::TensorView> inputs;
  for (const runtime::Tensor& tensor : group.inputs) inputs.push_back(tensor.view());
  executor.run(inputs);
  std::string bits;
  for (const ir::Output& output : group.graph.outputs()) {
    const ir::TensorView view = executor.output(output.name);
    bits.append(view.as<char>(), ir::byte_count(view.type));
  }
  return bits;
}

void check_group(const Group& group, const std::vector<const backends::Backend*>& preferred) {
  std::vector<Alone> alone;
  for (const backends::Backend* backend : preferred) alone.emplace_back(*backend);
  std::vector<const backends::Backend*> apart;
  for (const Alone& backend : alone) apart.push_back(&backend);
  const std::string expected = run(group, apart, 1, group.graph.nodes().size());
  for (const int threads : {1, 2, 3}) {
    CAPTURE(threads);
    CHECK((run(group, preferred, threads, 1) == expected));
  }
}

}  // namespace

std::int64_t GroupBuilder::pick(std::int64_t choices) {
  return std::uniform_int_distribution<std::int64_t>(0, choices - 1)(random_);
}

ir::Shape GroupBuilder::activations() {
  if (pick(2) == 0) return {1 + pick(9), 1 + pick(150)};
  return {1 + pick(4), 1 + pick(20), 1 + pick(60), 1 + pick(60)};
}

ir::ValueId GroupBuilder::input(ir::DType dtype, const ir::Shape& shape) {
  group_.inputs.emplace_back(ir::Type{dtype, shape});
  return group_.graph.add_input("x" + std::to_string(group_.inputs.size()), {dtype, shape});
}

ir::ValueId GroupBuilder::floats(const ir::Shape& shape) {
  const ir::ValueId id = input(ir::DType::f32, shape);
  std::uniform_real_distribution<float> draw(-8, 8);
  for (std::int64_t i = 0; i < group_.inputs.back().view().count(); ++i) group_.inputs.back().as<float>()[i] = draw(random_);
  return id;
}

ir::ValueId GroupBuilder::bytes(const ir::Shape& shape, ir::DType dtype) {
  const ir::ValueId id = input(dtype, shape);
  for (std::int64_t i = 0; i < ir::element_count(shape); ++i)
    group_.inputs.back().as<std::uint8_t>()[i] = static_cast<std::uint8_t>(pick(256));
  return id;
}

ir::ValueId GroupBuilder::weights(const ir::Shape& shape) {
  const ir::ValueId id = input(ir::DType::s8, shape);
  for (std::int64_t i = 0; i < ir::element_count(shape); ++i)
    group_.inputs.back().as<std::int8_t>()[i] = static_cast<std::int8_t>(pick(255) - 127);
  return id;
}

ir::ValueId GroupBuilder::number(float value) {
  const ir::ValueId id = input(ir::DType::f32, {1});
  *group_.inputs.back().as<float>() = value;
  return id;
}

ir::ValueId GroupBuilder::integer(std::int32_t value) {
  const ir::ValueId id = input(ir::DType::i32, {1});
  *group_.inputs.back().as<std::int32_t>() = value;
  return id;
}

ir::ValueId GroupBuilder::count(std::int64_t value) {
  const ir::ValueId id = input(ir::DType::i64, {1});
  *group_.inputs.back().as<std::int64_t>() = value;
  return id;
}

void check_group_on_openblas(const Group& group) {
  check_group(group, {&backends::named("openblas")});
}

void check_group_on_int8(const Group& group) {
  for (const backends::Backend* backend : backends::every()) {
    if (!backend->name().starts_with("int8")) continue;
    CAPTURE(backend->name());
    check_group(group, {backend, &backends::named("openblas")});
  }
}

}  // namespace stair::tests
