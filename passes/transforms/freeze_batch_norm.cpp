#include <string>
#include <utility>
#include <vector>

#include "passes/pass.h"

// batch_norm(x, gamma, beta, mean, var) -> batch_norm_inference(x, gamma, beta, mean, var), without the update of the running statistics

namespace stair::passes {

void freeze_batch_norm(PassRegistry& registry) {
  registry.add(
      {.name = "freeze_batch_norm",
       .summary = "Batch-norm by the running statistics instead of the batch's: gamma and beta still train, mean and variance stay.",
       .options = {},
       .run = [](const ir::Graph& graph, const ir::Attributes&) {
         ir::Rewriter rewriter(graph);
         std::vector<std::string> changes;
         for (const ir::Node& node : graph.nodes()) {
           if (node.op->name != "batch_norm") {
             rewriter.copy(node);
             continue;
           }
           rewriter.map(node.results[0], rewriter.graph().emit("batch_norm_inference", rewriter(node.operands),
                                                               {{"eps", node.attributes.at("eps")}}, node.name));
           // The running statistics stay what they are.
           rewriter.map(node.results[1], rewriter(node.operands[3]));
           rewriter.map(node.results[2], rewriter(node.operands[4]));
           changes.push_back("froze '" + node.name + "'");
         }
         ir::Graph frozen = rewriter.finish(false);
         for (const ir::Update& update : graph.updates()) {
           if (rewriter(update.value) != rewriter(update.state)) frozen.add_update(rewriter(update.state), rewriter(update.value));
         }
         return Result{std::move(frozen), std::move(changes)};
       }});
}

}  // namespace stair::passes
