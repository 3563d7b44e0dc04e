#include "ir/verify.h"

#include <set>
#include <string>

#include "ir/error.h"
#include "ir/op.h"

namespace stair::ir {
namespace {

[[noreturn]] void fail(const Graph& graph, const std::string& message) {
  throw InternalError("graph '" + graph.name + "': " + message);
}

void verify_node(const Graph& graph, NodeId id, const std::vector<bool>& defined) {
  const Node& node = graph.node(id);
  const std::string where = node.op->name + " '" + node.name + "': ";
  std::vector<const Type*> types;
  for (const ValueId operand : node.operands) {
    if (operand != absent && !defined[static_cast<std::size_t>(operand)]) {
      fail(graph, where + "reads '" + graph.value(operand).name + "' before it is defined");
    }
    types.push_back(operand == absent ? nullptr : &graph.type(operand));
  }
  const std::vector<Type> inferred = infer_types(*node.op, node.name, node.attributes, types);
  for (std::size_t i = 0; i < inferred.size(); ++i) {
    const Value& value = graph.value(node.results[i]);
    if (value.producer != id) fail(graph, where + "its result '" + value.name + "' names another producer");
    if (value.type != inferred[i]) {
      fail(graph, where + "'" + value.name + "' is " + to_string(value.type) + ", the schema infers " + to_string(inferred[i]));
    }
  }
}

}  // namespace

void verify(const Graph& graph) {
  std::set<std::string> names;
  for (const Value& value : graph.values()) {
    if (!names.insert(value.name).second) fail(graph, "two values are named '" + value.name + "'");
  }
  std::vector<bool> defined(graph.values().size(), false);
  for (const ValueId input : graph.inputs()) defined[static_cast<std::size_t>(input)] = true;
  for (const State& state : graph.states()) defined[static_cast<std::size_t>(state.value)] = true;
  for (std::size_t id = 0; id < graph.nodes().size(); ++id) {
    verify_node(graph, static_cast<NodeId>(id), defined);
    for (const ValueId result : graph.nodes()[id].results) defined[static_cast<std::size_t>(result)] = true;
  }
  for (const Output& output : graph.outputs()) {
    if (output.value == absent || !defined[static_cast<std::size_t>(output.value)])
      fail(graph, "output '" + output.name + "' has no value");
  }
  std::set<ValueId> updated;
  for (const Update& update : graph.updates()) {
    const std::string& name = graph.value(update.state).name;
    if (graph.state(update.state) == nullptr) fail(graph, "an update of '" + name + "', which is no state");
    if (!updated.insert(update.state).second) fail(graph, "two updates of '" + name + "'");
    if (graph.type(update.state) != graph.type(update.value)) fail(graph, "an update of '" + name + "' by another type");
  }
}

}  // namespace stair::ir
