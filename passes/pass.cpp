#include "passes/pass.h"

#include <utility>

#include "ir/error.h"
#include "ir/verify.h"

namespace stair::passes {

void register_all(PassRegistry& registry);  // generated from the files of passes/transforms

void PassRegistry::add(Pass pass) {
  std::string name = pass.name;
  if (!passes_.emplace(name, std::move(pass)).second) throw InternalError("two files of passes/transforms make '" + name + "'");
}

const PassRegistry& registry() {
  static const PassRegistry all = [] {
    PassRegistry made;
    register_all(made);
    return made;
  }();
  return all;
}

Result run(const Step& step, const ir::Graph& graph) {
  const auto it = registry().all().find(step.pass);
  if (it == registry().all().end()) {
    std::vector<std::string> names;
    for (const auto& [name, pass] : registry().all()) names.push_back(name);
    throw Error("unknown pass '" + step.pass + "'" + did_you_mean(step.pass, names));
  }
  Result result = it->second.run(graph, ir::completed(it->second.options, step.options, "pass '" + it->first + "': ", "option"));
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
