#include "backends/plugin.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "tests/ops/cases.h"

namespace stair::tests {

// With STAIR_TEST_PLUGIN the cases of this suite run on the plug-in, beside the reference. If it took none of them, that would say nothing.
TEST_CASE("a plug-in that is under test takes some of the cases") {
  for (const backends::Backend* plugin : backends::plugins()) {
    const auto takes = [&](const Case& c) {
      const ir::Graph graph = graph_of(c);
      return plugin->supports(graph, graph.node(0)).yes;
    };
    const std::string name(plugin->name());
    CAPTURE(name);
    const auto taken = std::count_if(cases().begin(), cases().end(), takes);
    CHECK(taken > 0);
    MESSAGE(name, " takes ", taken, " of ", cases().size(), " cases");
  }
}

}  // namespace stair::tests
