#include "passes/outputs.h"

#include <set>

#include "passes/pass.h"

namespace stair::passes {

ir::Graph with_outputs(const ir::Graph& graph, const std::vector<ir::ValueId>& values) {
  ir::Rewriter rewriter(graph);
  for (const ir::Node& node : graph.nodes()) rewriter.copy(node);
  for (const ir::ValueId value : std::set(values.begin(), values.end()))
    rewriter.graph().add_output(graph.value(value).name, rewriter(value));
  return run(Step{"dead_code"}, rewriter.graph()).graph;
}

bool is_output_of_training(std::string_view output) {
  // With a colon: gradients, and what shards share.
  return output == "loss" || output == "correct" || output == "learning_rate" || output.find(':') != std::string_view::npos;
}

}  // namespace stair::passes
