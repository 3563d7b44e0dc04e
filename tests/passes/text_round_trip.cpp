#include <doctest/doctest.h>

#include "ir/text.h"
#include "ir/verify.h"
#include "tests/support/pipeline_graphs.h"

using namespace stair;

TEST_CASE("what the pipelines make is sound, prints, and parses back to the same text") {
  tests::for_each_pipeline_graph(31, [](const ir::Graph& graph, const std::string& what) {
    CAPTURE(what);
    CHECK_NOTHROW(ir::verify(graph));
    const std::string text = ir::print(graph);
    const ir::Graph again = ir::parse(text, what);
    CHECK_NOTHROW(ir::verify(again));
    CHECK(ir::print(again) == text);
  });
}
