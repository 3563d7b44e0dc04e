#include <utility>

#include "ir/op.h"
#include "passes/pass.h"

// batch_norm -> batch_norm_inference (as freeze_batch_norm does it), dropout(x) -> x, as OpSchema::Inference says, and no updates

namespace stair::passes {

void inference_mode(PassRegistry& registry) {
  registry.add({.name = "inference_mode",
                .summary = "From the training form of a model to inference: batch-norm by its running statistics, no dropout, no updates.",
                .run = [](const ir::Graph& graph, const ir::Attributes&) {
                  Result frozen = run(Step{"freeze_batch_norm"}, graph);
                  ir::Rewriter rewriter(frozen.graph);
                  for (const ir::Node& node : frozen.graph.nodes()) {
                    if (!node.op->inference) {
                      rewriter.copy(node);
                      continue;
                    }
                    rewriter.map(node.results.front(), rewriter(node.operands.front()));
                    frozen.changes.push_back("removed the " + node.op->name + " '" + node.name + "'");
                  }
                  return Result{rewriter.finish(false), std::move(frozen.changes)};
                }});
}

}  // namespace stair::passes
