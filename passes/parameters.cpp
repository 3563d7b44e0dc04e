#include "passes/parameters.h"

#include <algorithm>

#include "passes/recipe.h"

namespace stair::passes {

bool means(const std::string& pattern, const ir::Graph& graph, const ir::State& parameter) {
  const ir::Attributes& says = parameter.attributes;
  return matches_pattern(pattern, graph.value(parameter.value).name) ||
         (says.has("follows") && matches_pattern(pattern, says.text("follows")));
}

bool mean(const std::vector<std::string>& patterns, const ir::Graph& graph, const ir::State& parameter) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) { return means(pattern, graph, parameter); });
}

}  // namespace stair::passes
