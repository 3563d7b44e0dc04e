#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "ir/op.h"
#include "ir/type.h"
#include "passes/pass.h"

// %y = dequantize(%q); …; reader(%y)  ->  …; %y = dequantize(%q); reader(%y)
//
// A value that takes more memory than what it is computed from waits until it is read, and is computed anew for each reader: in training,
// the backward pass finds activations as the 8-bit integers that they are, and floats live only from there to their reader. What is written
// over such a value, for one reader, waits with it: the gradient of quantized weights, between the product and the optimizer.

namespace stair::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

bool grows(const Graph& graph, const Node& node) {
  std::size_t read = 0;
  const std::set<ValueId> operands(node.operands.begin(), node.operands.end());
  for (const ValueId operand : operands) {
    if (operand != ir::absent) read += ir::byte_count(graph.type(operand));
  }
  return node.results.size() == 1 && ir::byte_count(graph.type(node.results.front())) > read;
}

Result run_sink(const Graph& graph) {
  Result result;
  ir::Rewriter rewriter(graph);
  std::size_t copied = 0;
  std::map<const Node*, std::size_t> waiting;  // since so many were copied
  const ir::Uses uses(graph);
  const auto follows = [&](const Node& node) {
    if (node.op->in_place.empty() || node.results.size() != 1 || !uses.single(node.results.front())) return false;
    const ValueId operand = node.operands[node.op->in_place.front()];
    return uses.single(operand) && waiting.contains(graph.producer(operand));
  };
  const std::function<void(ValueId)> reach = [&](ValueId value) {
    const Node* node = value == ir::absent ? nullptr : graph.producer(value);
    const auto since = waiting.find(node);
    if (since == waiting.end()) return;
    const bool costs = node->op->multiply_accumulates != nullptr;  // a product of few rows is larger than they are
    if (rewriter.mapped(value) && (costs || since->second == copied)) return;
    for (const ValueId operand : node->operands) reach(operand);
    if (copied > since->second) {
      result.changes.push_back((rewriter.mapped(value) ? "computed '" + node->name + "' again for" : "moved '" + node->name + "' to") +
                               " its reader");
    }
    rewriter.copy(*node);
    since->second = copied;
  };
  for (const Node& node : graph.nodes()) {
    if (grows(graph, node) || follows(node)) {
      waiting.emplace(&node, copied);
      continue;
    }
    for (const ValueId operand : node.operands) reach(operand);
    rewriter.copy(node);
    ++copied;
  }
  for (const ir::Output& output : graph.outputs()) reach(output.value);
  for (const ir::Update& update : graph.updates()) reach(update.value);
  result.graph = rewriter.finish();
  return result;
}

}  // namespace

void sink(PassRegistry& registry) {
  registry.add({.name = "sink",
                .summary =
                    "Moves nodes whose result takes more memory than their operands (dequantize) to just before their reader, and "
                    "computes them again for each further one; one that nobody reads goes. What is written over such a result, for one "
                    "reader, goes with it.",
                .run = [](const Graph& graph, const ir::Attributes&) { return run_sink(graph); }});
}

}  // namespace stair::passes
