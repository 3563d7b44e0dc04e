#include "ir/index_inputs.h"

#include <algorithm>
#include <vector>

#include "ir/op.h"

namespace stair::ir {

std::int64_t rows_of(const Graph& graph, ValueId input) {
  std::vector<bool> holds(graph.values().size(), false);  // elements of the input
  holds[static_cast<std::size_t>(input)] = true;
  std::int64_t fewest = 0;
  for (const Node& node : graph.nodes()) {
    const bool reads = std::any_of(node.operands.begin(), node.operands.end(),
                                   [&](ValueId operand) { return operand != absent && holds[static_cast<std::size_t>(operand)]; });
    if (!reads) continue;
    if (node.op->integer.of_weights) {
      const std::int64_t rows = graph.type(node.operands.front()).shape.front();
      fewest = fewest == 0 ? rows : std::min(fewest, rows);
    } else if (node.op->integer.kind == IntegerForm::Kind::move) {
      holds[static_cast<std::size_t>(node.results.front())] = true;
    }
  }
  return fewest;
}

std::string expected_input(const Graph& graph, ValueId input) {
  const Type& type = graph.type(input);
  const bool batched = type.shape.size() >= 2;
  if (batched && (type.dtype == DType::f32 || (type.dtype == DType::i32 && rows_of(graph, input) > 0))) return "";
  return batched && type.dtype == DType::i32 ? "an embedding that reads its indices" : "f32 [N, ...], or i32 [N, ...] for an embedding";
}

bool is_position(const Graph& graph, ValueId value) {
  if (graph.type(value).dtype != DType::i32) return false;
  const Node* node = graph.producer(value);
  while (node != nullptr && node->op->integer.kind == IntegerForm::Kind::move) node = graph.producer(node->operands.front());
  return node != nullptr && node->op->integer.kind == IntegerForm::Kind::order;
}

}  // namespace stair::ir
