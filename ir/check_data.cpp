#include "ir/check_data.h"

#include <limits>
#include <vector>

#include "ir/op.h"

namespace stair::ir {
namespace {

template <class T>
Limits limits_of() {
  return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

// What integers of the type may be; floats have no limits.
Limits limits_of(DType dtype) {
  switch (dtype) {
    case DType::s8:
      return limits_of<std::int8_t>();
    case DType::u8:
      return limits_of<std::uint8_t>();
    case DType::i32:
      return limits_of<std::int32_t>();
    case DType::i64:
    case DType::f32:
    case DType::f64:
      break;
  }
  return limits_of<std::int64_t>();
}

Limits computed_limits(const Graph& graph, const Value& value) {
  if (value.producer != absent) {
    const Node& node = graph.node(value.producer);
    const OperandSpec& result = node.op->results[static_cast<std::size_t>(value.result)];
    if (result.within) return result.within(node.attributes);
  }
  return limits_of(value.type.dtype);
}

}  // namespace

void check_data(const Graph& graph, const std::function<TensorView(const State&)>& constant) {
  for (const Node& node : graph.nodes()) {
    if (!node.op->check_data) continue;
    DataContext context{{*node.op, node.name, node.attributes, {}}, {}, {}};
    for (std::size_t i = 0; i < std::max(node.operands.size(), node.op->operands.size()); ++i) {
      const ValueId operand = i < node.operands.size() ? node.operands[i] : absent;
      const State* state = operand == absent ? nullptr : graph.state(operand);
      context.operands.push_back(operand == absent ? nullptr : &graph.type(operand));
      context.constants.push_back(state == nullptr ? TensorView{} : constant(*state));
      context.computed.push_back(operand == absent ? Limits{} : computed_limits(graph, graph.value(operand)));
    }
    node.op->check_data(context);
  }
}

}  // namespace stair::ir
