#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "backends/backend.h"
#include "ir/op.h"
#include "tests/ops/cases.h"
#include "tests/ops/check.h"
#include "tests/ops/interpreter.h"

namespace stair::tests {
namespace {

// The case's node, and the same on transposed images with its result transposed back.
ir::Graph both_layouts(const Case& c) {
  ir::Graph graph = graph_of(c);
  const ir::Node node = graph.node(0);
  std::vector<ir::ValueId> operands = node.operands;
  operands[0] = graph.emit("transpose", {operands[0]}, {{"permutation", ir::Shape{0, 2, 3, 1}}});
  ir::Attributes attributes = node.attributes;
  attributes.set("layout", std::string("nhwc"));
  const ir::ValueId y = graph.emit(node.op->name, std::move(operands), std::move(attributes), "last");
  graph.emit("transpose", {y}, {{"permutation", ir::Shape{0, 3, 1, 2}}}, "back");
  return graph;
}

bool has_layout(const Case& c) {
  const ir::Graph graph = graph_of(c);
  const ir::Attributes& attributes = graph.node(0).attributes;
  return attributes.has("layout") && attributes.text("layout") != "nhwc";
}

void check_layouts(const Case& c) {
  const std::string what = describe(c);
  CAPTURE(what);
  const ir::Graph graph = both_layouts(c);
  for (const backends::Backend* backend : tested_backends()) {
    const std::string on(backend->name());
    CAPTURE(on);
    for (const int threads : {1, 2}) {
      Interpreter interpreter(graph, {backend, &backends::named("reference")}, threads);
      interpreter.feed(draw_operands(c));
      interpreter.run();
      CHECK(to_doubles(interpreter.value(graph.find("back"))) == to_doubles(interpreter.value(graph.node(0).results.front())));
    }
  }
}

}  // namespace

TEST_CASE("ops with a layout compute the same integers on [N,H,W,C]") {
  for (const Case& c : cases()) {
    if (has_layout(c)) check_layouts(c);
  }
  for (const Case& c : random_cases("conv2d_integer", 7, 60)) check_layouts(c);
}

}  // namespace stair::tests
