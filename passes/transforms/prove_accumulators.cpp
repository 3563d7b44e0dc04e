#include <fmt/format.h>

#include "passes/accumulators.h"
#include "passes/pass.h"

namespace stair::passes {

void prove_accumulators(PassRegistry& registry) {
  registry.add(
      {.name = "prove_accumulators",
       .summary =
           "Changes nothing: proves from shapes and bit widths that no int32 accumulator can overflow (N-ACC), says how many bits each "
           "needs, and refuses the graph otherwise. After realize_integers.",
       .run = [](const ir::Graph& graph, const ir::Attributes&) {
         Result result{graph, {}};
         for (const AccumulatorBound& bound : prove_accumulators(graph, [](const std::string&) { return ir::TensorView{}; })) {
           result.changes.push_back(fmt::format("'{}' needs at most {} bits", bound.node, bound.bits));
         }
         return result;
       }});
}

}  // namespace stair::passes
