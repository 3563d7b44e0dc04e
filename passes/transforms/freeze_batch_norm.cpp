#include <string>
#include <utility>
#include <vector>

#include "ir/op.h"
#include "passes/parameters.h"
#include "passes/pass.h"

// batch_norm(x, gamma, beta, mean, var) -> batch_norm_inference(x, gamma, beta, mean, var), without the update of the running statistics;
// so any op that another one stands for in inference (OpSchema::Inference)

namespace stair::passes {
namespace {

// Whether the patterns mean all parameters that the node reads; it reads some.
bool all_meant(const std::vector<std::string>& patterns, const ir::Graph& graph, const ir::Node& node) {
  bool any = false;
  for (const ir::ValueId operand : node.operands) {
    const ir::State* state = graph.state(operand);
    if (state == nullptr || state->role != ir::StateRole::parameter) continue;
    if (!mean(patterns, graph, *state)) return false;
    any = true;
  }
  return any;
}

}  // namespace

void freeze_batch_norm(PassRegistry& registry) {
  registry.add(
      {.name = "freeze_batch_norm",
       .summary = "Batch-norm by the running statistics instead of the batch's: gamma and beta still train, mean and variance stay.",
       .options = {{"parameters", "patterns: only where they mean all parameters of the batch-norm; none: everywhere",
                    std::vector<std::string>{}}},
       .run = [](const ir::Graph& graph, const ir::Attributes& options) {
         const std::vector<std::string>& patterns = options.texts("parameters");
         ir::Rewriter rewriter(graph);
         std::vector<std::string> changes;
         for (const ir::Node& node : graph.nodes()) {
           const bool stays = !patterns.empty() && !all_meant(patterns, graph, node);
           if (!node.op->inference || node.op->inference->op.empty() || stays) {
             rewriter.copy(node);
             continue;
           }
           const ir::OpSchema& op = ir::op(node.op->inference->op);
           const ir::Node& frozen = rewriter.graph().add(op, rewriter(node.operands), attributes_for(op, node.attributes), node.name);
           rewriter.map(node.results[0], frozen.results[0]);
           // The running statistics stay what they are.
           const std::vector<std::size_t>& kept = node.op->inference->results;
           for (std::size_t i = 0; i < kept.size(); ++i) rewriter.map(node.results[i + 1], rewriter(node.operands[kept[i]]));
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
