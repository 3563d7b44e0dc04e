#include "ir/rebatch.h"

#include <utility>
#include <vector>

#include "ir/op.h"

namespace stair::ir {

Graph with_batch(const Graph& graph, std::int64_t batch) {
  for (const Update& update : graph.updates()) {
    if (batch == graph.batch() || graph.state(update.state)->role != StateRole::parameter) continue;
    throw Error("graph '" + graph.name + "' trains '" + graph.value(update.state).name + "' on batches of " +
                std::to_string(graph.batch()) + ", expected a model or an inference graph for batches of " + std::to_string(batch));
  }
  Rewriter rewriter(graph, Rewriter::Empty{});
  for (const ValueId input : graph.inputs()) {
    Type type = graph.type(input);
    if (!type.shape.empty()) type.shape.front() = batch;
    rewriter.copy_input(input, std::move(type));
  }
  for (const State& state : graph.states()) rewriter.copy_state(state);
  for (const Node& node : graph.nodes()) rewriter.copy(node);
  return rewriter.finish();
}

TypesOfBatch types_of_batch(const Graph& graph, std::int64_t batch) {
  TypesOfBatch made;
  made.types.resize(graph.values().size());
  const auto type = [&](ValueId value) -> Type& { return made.types[static_cast<std::size_t>(value)]; };
  for (const ValueId input : graph.inputs()) {
    type(input) = graph.type(input);
    if (!type(input).shape.empty()) type(input).shape.front() = batch;
  }
  for (const State& state : graph.states()) type(state.value) = graph.type(state.value);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    std::vector<const Type*> operands;
    for (const ValueId operand : node.operands) operands.push_back(operand == absent ? nullptr : &type(operand));
    try {
      const std::vector<Type> results = infer_types(*node.op, node.name, node.attributes, operands);
      for (std::size_t i = 0; i < results.size(); ++i) type(node.results[i]) = results[i];
    } catch (const Error& error) {
      made.refuses = static_cast<NodeId>(n);
      made.reason = error.what();
      return made;
    }
  }
  return made;
}

}  // namespace stair::ir
