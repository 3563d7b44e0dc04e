#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ir/op.h"
#include "ir/scanner.h"
#include "passes/pass.h"

// y = f(x) {a}, z = f(x) {a}  ->  y for both. Every op is a function of its operands and attributes (random ones draw by a counter).

namespace stair::passes {

void common_subexpressions(PassRegistry& registry) {
  registry.add({.name = "common_subexpressions",
                .summary = "Computes once what stands twice: nodes of one op with equal operands and attributes.",
                .run = [](const ir::Graph& graph, const ir::Attributes&) {
                  using Key = std::pair<std::string, std::vector<ir::ValueId>>;
                  ir::Rewriter rewriter(graph);
                  std::map<Key, std::vector<ir::ValueId>> known;
                  std::vector<std::string> changes;
                  for (const ir::Node& node : graph.nodes()) {
                    const Key key{node.op->name + ir::print_attributes(node.attributes), rewriter(node.operands)};
                    const auto it = known.find(key);
                    if (it == known.end()) {
                      known.emplace(key, rewriter.copy(node).results);
                      continue;
                    }
                    for (std::size_t i = 0; i < node.results.size(); ++i) rewriter.map(node.results[i], it->second[i]);
                    changes.push_back("'" + node.name + "' is '" + rewriter.graph().value(it->second.front()).name + "'");
                  }
                  return Result{rewriter.finish(), std::move(changes)};
                }});
}

}  // namespace stair::passes
