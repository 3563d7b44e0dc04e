#include "passes/pass.h"

#include <utility>

#include "ir/error.h"
#include "ir/verify.h"

namespace stair::passes {

void register_all(PassRegistry& registry);  // generated from the files of passes/transforms

namespace {

ir::Attributes complete_options(const Pass& pass, const ir::Attributes& given) {
  std::vector<std::string> names;
  ir::Attributes complete;
  for (const ir::AttributeSpec& spec : pass.options) {
    names.push_back(spec.name);
    if (!given.has(spec.name)) {
      if (spec.required) throw Error("pass '" + pass.name + "': option '" + spec.name + "' is missing");
      complete.set(spec.name, spec.fallback);
      continue;
    }
    ir::Attribute value = given.at(spec.name);
    if (std::holds_alternative<double>(spec.fallback) && std::holds_alternative<std::int64_t>(value)) {
      value = static_cast<double>(std::get<std::int64_t>(value));
    }
    if (value.index() != spec.fallback.index()) {
      throw Error("pass '" + pass.name + "': option '" + spec.name + "' is " + std::string(ir::kind_of(value)) + ", expected " +
                  std::string(ir::kind_of(spec.fallback)));
    }
    complete.set(spec.name, std::move(value));
  }
  for (const auto& [name, value] : given) {
    if (!complete.has(name)) throw Error("pass '" + pass.name + "': unknown option '" + name + "'" + did_you_mean(name, names));
  }
  return complete;
}

}  // namespace

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
  Result result = it->second.run(graph, complete_options(it->second, step.options));
  ir::verify(result.graph);
  return result;
}

ir::Graph run(const Pipeline& pipeline, ir::Graph graph, const Observer& observer) {
  for (const Step& step : pipeline) {
    Result result = run(step, graph);
    if (observer) observer(step, result);
    graph = std::move(result.graph);
  }
  return graph;
}

}  // namespace stair::passes
