#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "ir/op.h"
#include "tests/ops/cases.h"
#include "tests/ops/interpreter.h"

// What ops say of where the dimensions of their operands go (OpSchema::dimensions, in_order) holds of what the reference computes.

namespace stair::tests {
namespace {

std::vector<Case> all_cases() {
  std::vector<Case> all = cases();
  for (const char* op : {"conv2d", "linear", "matmul", "max_pool", "avg_pool"}) {
    for (const Case& c : random_cases(op, 3, 10)) all.push_back(c);
  }
  return all;
}

runtime::Tensor result_of(const ir::Graph& graph, const runtime::Tensors& operands) {
  Interpreter interpreter(graph, {&backends::named("reference")});
  interpreter.feed(operands);
  interpreter.run();
  return interpreter.value(graph.node(0).results.front()).clone();
}

std::int64_t index_along(const ir::Shape& shape, std::int64_t element, std::size_t dimension) {
  std::int64_t behind = 1;
  for (std::size_t d = dimension + 1; d < shape.size(); ++d) behind *= shape[d];
  return element / behind % shape[dimension];
}

// Other values at one index along a dimension of an operand may change the result there and nowhere else.
void check_dimension(const ir::Graph& graph, const runtime::Tensors& operands, std::size_t operand, std::size_t dimension,
                     std::int64_t becomes) {
  runtime::Tensors others;
  for (const auto& [name, tensor] : operands) others.emplace(name, tensor.clone());
  const runtime::Tensor& changed = others.find(operand_name(operand))->second;
  const ir::Shape& shape = changed.type().shape;
  std::vector<double> values = to_doubles(changed);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (index_along(shape, static_cast<std::int64_t>(i), dimension) == 0) values[i] = values[i] * 0.5 + 3;
  }
  runtime::Tensor written(changed.type());
  from_doubles(values, written);
  others.insert_or_assign(operand_name(operand), std::move(written));
  const runtime::Tensor before = result_of(graph, operands);
  const runtime::Tensor after = result_of(graph, others);
  REQUIRE(static_cast<std::size_t>(becomes) < before.type().shape.size());
  const bool stretched = shape[dimension] == 1;
  CHECK((stretched || before.type().shape[static_cast<std::size_t>(becomes)] == shape[dimension]));
  if (stretched) return;
  const std::size_t bytes = ir::size_of(before.type().dtype);
  bool apart = true;
  for (std::int64_t i = 0; i < before.count(); ++i) {
    if (index_along(before.type().shape, i, static_cast<std::size_t>(becomes)) == 0) continue;
    const std::size_t at = bytes * static_cast<std::size_t>(i);
    apart = apart && std::memcmp(before.as<char>() + at, after.as<char>() + at, bytes) == 0;
  }
  CHECK(apart);
}

}  // namespace

TEST_CASE("dimensions of operands go where their op says") {
  for (const Case& c : all_cases()) {
    const ir::Graph graph = graph_of(c);
    const ir::Node& node = graph.node(0);
    // Batch statistics are over all examples.
    if (node.op->dimensions == nullptr || node.op->name == "batch_norm") continue;
    const std::string what = describe(c);
    CAPTURE(what);
    const runtime::Tensors operands = draw_operands(c);
    std::vector<const ir::Type*> types;
    for (const ir::ValueId operand : node.operands) types.push_back(operand == ir::absent ? nullptr : &graph.type(operand));
    types.resize(std::max(types.size(), node.op->operands.size()), nullptr);
    const ir::OpSchema::Dimensions dimensions = node.op->dimensions({*node.op, node.name, node.attributes, types});
    REQUIRE(dimensions.size() == types.size());
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (types[i] == nullptr) continue;
      REQUIRE(dimensions[i].size() == types[i]->shape.size());
      for (std::size_t d = 0; d < dimensions[i].size(); ++d) {
        if (dimensions[i][d] != ir::absent) check_dimension(graph, operands, i, d, dimensions[i][d]);
      }
    }
  }
}

TEST_CASE("ops that keep the order of elements do") {
  for (const Case& c : all_cases()) {
    const ir::Graph graph = graph_of(c);
    if (!graph.node(0).op->in_order) continue;
    const runtime::Tensors operands = draw_operands(c);
    CHECK(to_doubles(result_of(graph, operands)) == to_doubles(operands.find(operand_name(0))->second));
  }
}

TEST_CASE("every layer of models says where dimensions go") {
  for (const auto& [key, op] : ir::op_registry().all()) {
    const std::string& name = key;
    CAPTURE(name);
    if (op.layer) CHECK(op.in_order != (op.dimensions != nullptr));
  }
}

}  // namespace stair::tests
