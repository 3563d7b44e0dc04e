#include "passes/pass.h"

#include <utility>

#include "ir/error.h"
#include "ir/verify.h"

namespace stair::passes {

Result run(const Step& step, const ir::Graph& graph) {
  const Pass* pass = registry().find(step.pass);
  if (pass == nullptr) throw Error("unknown pass '" + step.pass + "'" + did_you_mean(step.pass, registry().names()));
  Result result = pass->run(graph, ir::completed(pass->options, step.options, "pass '" + pass->name + "': ", "option"));
  ir::verify(result.graph);
  return result;
}

ir::Graph run(const Pipeline& pipeline, ir::Graph graph, const Observer& observer) {
  graph.keep_names();
  for (const Step& step : pipeline) {
    Result result = run(step, graph);
    if (observer) observer(step, result);
    graph = std::move(result.graph);
  }
  return graph;
}

}  // namespace stair::passes
