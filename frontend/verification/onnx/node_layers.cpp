#include "frontend/verification/onnx/node_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "frontend/compile.h"
#include "frontend/importers/onnx/import.h"
#include "frontend/importers/onnx/operator.h"
#include "ir/error.h"

namespace stair::verification::onnx {

namespace {

constexpr std::array<std::string_view, 13> moving{"Concat", "DepthToSpace", "GlobalMaxPool", "MaxPool", "Pad", "ReduceMin", "SpaceToDepth",
                                                  "Slice",  "Split",        "Tile",          "Max",     "Min", "Where"};

frontend::onnx::Tensor tensor_of(const Value& value, const std::string& name, std::list<std::string>& bytes) {
  const Value numbers = as_numbers(value);
  frontend::onnx::Tensor tensor;
  tensor.name = name;
  tensor.type = numbers.is_real() ? ElementType::f32 : ElementType::i64;
  tensor.shape = numbers.shape;
  std::string& raw = bytes.emplace_back();
  if (numbers.is_real()) {
    const std::vector<float> floats(numbers.reals.begin(), numbers.reals.end());
    raw.assign(reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float));
  } else {
    raw.assign(reinterpret_cast<const char*>(numbers.integers.data()), numbers.integers.size() * sizeof(std::int64_t));
  }
  tensor.raw = raw;
  return tensor;
}

}  // namespace

struct NodeLayers::Impl {
  frontend::onnx::Made made;
  std::vector<std::size_t> inputs;  // of the node, in the graph's order
  std::vector<std::size_t> outputs;
  std::optional<runtime::Executor> executor;

  void make(NodeRun& run) {
    frontend::onnx::Model model;
    model.path = run.place();
    model.opsets[run.node.domain] = run.opset;
    model.opsets.emplace("", run.opset);
    frontend::onnx::Node node = run.node;
    for (std::size_t i = 0; i < run.count(); ++i) {
      if (!run.has(i)) continue;
      node.inputs[i] = fmt::format("x{}", i);
      const Value& value = run.in(i);
      if (value.constant) {
        model.initializers.emplace(node.inputs[i], tensor_of(value, node.inputs[i], model.bytes));
        continue;
      }
      inputs.push_back(i);
      frontend::onnx::ValueInfo info{node.inputs[i], ElementType::f32, std::vector<frontend::onnx::Dimension>{}};
      for (const std::int64_t size : value.shape) info.shape->push_back({size, ""});
      model.inputs.push_back(std::move(info));
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i].empty()) continue;
      node.outputs[i] = fmt::format("y{}", i);
      outputs.push_back(i);
      model.outputs.push_back({node.outputs[i], ElementType::f32, std::nullopt});
    }
    model.nodes.push_back(std::move(node));
    made = frontend::onnx::import(model, {}, 0);
    if (!made.problems.empty()) {
      std::string problem = made.problems.front();
      if (problem.starts_with(run.place() + ": ")) problem.erase(0, run.place().size() + 2);
      run.fail(problem);
    }
    const std::int64_t batch = run.in(inputs.front()).shape.front();
    executor.emplace(frontend::compile(made.graph, passes::float_evaluation(), batch, made.weights, {}));
  }

  void compute(NodeRun& run) {
    std::vector<runtime::Tensor> tensors;
    ElementType type = ElementType::f32;
    for (std::size_t n = 0; n < inputs.size(); ++n) {
      const Value& value = run.in(inputs[n]);
      if (!value.is_real()) type = value.type;
      const ir::Type& expected = executor->graph().type(executor->graph().inputs()[n]);
      run.expect(expected.shape == value.shape,
                 fmt::format("is computed of {}, expected {}", ir::to_string(value.shape), ir::to_string(expected.shape)));
      tensors.emplace_back(expected);
      for (std::int64_t i = 0; i < value.count(); ++i) {
        tensors.back().as<float>()[i] = static_cast<float>(value.number(i));
        run.expect(value.is_real() || std::abs(value.integers[static_cast<std::size_t>(i)]) <= 1 << 24,
                   "its integers have more than 24 bits");
      }
    }
    executor->run(runtime::views_of(tensors));
    const std::vector<ir::Output>& ends = executor->graph().outputs();
    for (std::size_t n = 0; n < outputs.size(); ++n) {
      const ir::TensorView view = executor->output(ends.at(n).name);
      Value y = onnx::made(type, view.type.shape);
      for (std::int64_t i = 0; i < view.count(); ++i) {
        const float number = view.as<float>()[i];
        if (y.is_real()) y.reals[static_cast<std::size_t>(i)] = static_cast<double>(number);
        if (!y.is_real()) y.integers[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(number);
      }
      run.yield(std::move(y), outputs[n]);
    }
  }
};

NodeLayers::NodeLayers() = default;
NodeLayers::~NodeLayers() = default;
NodeLayers::NodeLayers(NodeLayers&&) noexcept = default;
NodeLayers& NodeLayers::operator=(NodeLayers&&) noexcept = default;

namespace {

void fold(NodeRun& run, const frontend::onnx::Operator& its) {
  frontend::onnx::Layers none;
  std::vector<std::optional<frontend::onnx::Value>> inputs;
  for (std::size_t i = 0; i < run.count(); ++i) {
    inputs.emplace_back();
    if (!run.has(i)) continue;
    frontend::onnx::Value value;
    value.constant = std::make_shared<const frontend::onnx::Constant>(to_constant(run.in(i)));
    value.shape = value.constant->shape;
    value.type = value.constant->type;
    inputs.back() = std::move(value);
  }
  frontend::onnx::NodeContext context(run.node, run.opset, none, std::move(inputs), 0, 1);
  its.fold(context);
  context.check_attributes_read();
  for (std::size_t i = 0; i < context.results.size(); ++i) {
    if (context.results[i] && context.results[i]->constant) run.yield(from_constant(*context.results[i]->constant), i);
  }
}

}  // namespace

void NodeLayers::run(NodeRun& run) {
  const frontend::onnx::Operator* its = frontend::onnx::operators().find(run.node.op);
  if (its == nullptr || its->domain != run.node.domain) run.fail("isn't an operator that is known");
  bool constant = true;
  bool integers = false;
  for (std::size_t i = 0; i < run.count(); ++i) {
    if (!run.has(i)) continue;
    constant = constant && run.in(i).constant;
    integers = integers || (!run.in(i).constant && !run.in(i).is_real());
  }
  if (constant) {
    if (!its->fold) run.fail("isn't computed of constants alone");
    return fold(run, *its);
  }
  if (integers && std::find(moving.begin(), moving.end(), run.node.op) == moving.end())
    run.fail("isn't an operator on integers that is known");
  if (!impl_) {
    auto made = std::make_unique<Impl>();
    made->make(run);
    impl_ = std::move(made);
  }
  impl_->compute(run);
}

}  // namespace stair::verification::onnx
