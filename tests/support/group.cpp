#include "tests/support/group.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

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

std::string bits_of(const Ran& ran) {
  std::string bits;
  for (const runtime::Tensor& output : ran.outputs) bits.append(output.as<char>(), output.bytes());
  return bits;
}

void check_group(const Group& group, const std::vector<const backends::Backend*>& preferred) {
  const Ran alone = run_alone(group.graph, group, preferred);
  for (std::size_t i = 0; i < alone.kernels.size(); ++i) {
    const bool of_parameters = alone.kernels[i] == "affine_parameters" || alone.kernels[i] == "clamp_range";
    CHECK((alone.backends[i] != "reference" || of_parameters));
  }
  const std::string expected = bits_of(alone);
  for (const int threads : {1, 2, 3}) {
    CAPTURE(threads);
    const Ran ran = run(group.graph, group, preferred, threads);
    CHECK(ran.kernels.size() == 1);
    CHECK(ran.backends.front() != "reference");
    CHECK((bits_of(ran) == expected));
  }
}

}  // namespace

Ran run(const ir::Graph& graph, const Group& group, const std::vector<const backends::Backend*>& preferred, int threads) {
  runtime::Tensors states;
  for (const auto& [name, tensor] : group.constants) states.emplace(name, tensor.clone());
  const auto planner = [](const ir::Graph& of, const ir::Schedule& schedule) { return passes::plan_memory(of, schedule); };
  runtime::Executor executor(graph, planner, states, {preferred, threads});
  std::vector<ir::TensorView> inputs;
  for (const runtime::Tensor& tensor : group.inputs) inputs.push_back(tensor.view());
  executor.run(inputs);
  Ran ran;
  for (const auto& assignment : executor.assignments()) {
    ran.kernels.push_back(assignment.op);
    ran.backends.push_back(assignment.backend);
  }
  for (const ir::Output& output : graph.outputs()) {
    const ir::TensorView view = executor.output(output.name);
    ran.outputs.emplace_back(view.type);
    std::memcpy(ran.outputs.back().view().data, view.data, ir::byte_count(view.type));
  }
  return ran;
}

Ran run_alone(const ir::Graph& graph, const Group& group, const std::vector<const backends::Backend*>& preferred) {
  std::vector<Alone> alone;
  for (const backends::Backend* backend : preferred) alone.emplace_back(*backend);
  std::vector<const backends::Backend*> apart;
  for (const Alone& backend : alone) apart.push_back(&backend);
  Ran ran = run(graph, group, apart, 1);
  CHECK(ran.kernels.size() == graph.nodes().size());
  return ran;
}

std::int64_t GroupBuilder::pick(std::int64_t choices) {
  return std::uniform_int_distribution<std::int64_t>(0, choices - 1)(random_);
}

ir::Shape GroupBuilder::activations() {
  if (pick(2) == 0) return {1 + pick(9), 1 + pick(150)};
  return {1 + pick(4), 1 + pick(20), 1 + pick(60), 1 + pick(60)};
}

ir::ValueId GroupBuilder::tensor(ir::DType dtype, const ir::Shape& shape) {
  const std::string name = "x" + std::to_string(group_.inputs.size() + group_.constants.size() + 1);
  if (constants_) {
    ir::State state;
    state.role = ir::StateRole::constant;
    last_ = &group_.constants.emplace(name, runtime::Tensor({dtype, shape})).first->second;
    return group_.graph.add_state(name, {dtype, shape}, state);
  }
  last_ = &group_.inputs.emplace_back(ir::Type{dtype, shape});
  return group_.graph.add_input(name, {dtype, shape});
}

ir::ValueId GroupBuilder::floats(const ir::Shape& shape, float magnitude) {
  const ir::ValueId id = tensor(ir::DType::f32, shape);
  std::uniform_real_distribution<float> draw(-magnitude, magnitude);
  for (std::int64_t i = 0; i < last_->count(); ++i) last_->as<float>()[i] = draw(random_);
  return id;
}

ir::ValueId GroupBuilder::positive(const ir::Shape& shape) {
  const ir::ValueId id = floats(shape);
  for (std::int64_t i = 0; i < last_->count(); ++i) last_->as<float>()[i] = std::abs(last_->as<float>()[i]) + 0.5F;
  return id;
}

ir::ValueId GroupBuilder::bytes(const ir::Shape& shape, ir::DType dtype) {
  const ir::ValueId id = tensor(dtype, shape);
  for (std::int64_t i = 0; i < last_->count(); ++i) last_->as<std::uint8_t>()[i] = static_cast<std::uint8_t>(pick(256));
  return id;
}

ir::ValueId GroupBuilder::weights(const ir::Shape& shape) {
  const ir::ValueId id = tensor(ir::DType::s8, shape);
  for (std::int64_t i = 0; i < last_->count(); ++i) last_->as<std::int8_t>()[i] = static_cast<std::int8_t>(pick(255) - 127);
  return id;
}

ir::ValueId GroupBuilder::number(float value) {
  return numbers(1, value, value);
}

ir::ValueId GroupBuilder::integer(std::int32_t value) {
  return integers(1, value, value);
}

ir::ValueId GroupBuilder::numbers(std::int64_t count, float low, float high) {
  const ir::ValueId id = tensor(ir::DType::f32, {count});
  std::uniform_real_distribution<float> draw(0, 1);
  for (std::int64_t i = 0; i < count; ++i) last_->as<float>()[i] = low == high ? low : low + (high - low) * draw(random_);
  return id;
}

ir::ValueId GroupBuilder::integers(std::int64_t count, std::int32_t low, std::int32_t high) {
  const ir::ValueId id = tensor(ir::DType::i32, {count});
  std::uniform_int_distribution<std::int32_t> draw(low, high);
  for (std::int64_t i = 0; i < count; ++i) last_->as<std::int32_t>()[i] = low == high ? low : draw(random_);
  return id;
}

ir::ValueId GroupBuilder::range(std::int32_t low, std::int32_t high) {
  const ir::ValueId id = tensor(ir::DType::i32, {2});
  last_->as<std::int32_t>()[0] = low;
  last_->as<std::int32_t>()[1] = high;
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
