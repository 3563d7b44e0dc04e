#include <doctest/doctest.h>

#include <string>

#include "tests/ops/cases.h"
#include "tests/ops/check.h"
#include "tests/ops/definitions.h"
#include "tests/ops/interpreter.h"

namespace stair::tests {
namespace {

constexpr std::uint64_t first_seed = 20240611;
constexpr int shapes_an_op = 30;

void check_definition(const Case& c) {
  const std::string what = describe(c);
  CAPTURE(what);
  const ir::Graph graph = graph_of(c);
  const std::vector<double> found = run_reference(c)[0];
  const std::vector<double> expected = by_definition(c, draw_operands(c));
  if (ir::is_float(graph.type(graph.node(0).results[0]).dtype)) {
    CHECK(near(found, expected));
  } else {
    CHECK(found == expected);
  }
}

// Definitions are of [N,C,H,W]; tests/ops/layout.cpp holds the other layout to that one.
bool has_definition(const Case& c) {
  if (c.attributes.has("layout")) return false;
  for (const char* known : {"conv2d", "conv2d_integer", "linear", "linear_integer", "matmul", "matmul_integer", "max_pool", "avg_pool",
                            "max_pool_integer", "avg_pool_integer", "conv_transpose2d", "conv_transpose2d_integer"}) {
    if (c.op == known) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("convolutions, products and pools are what their definitions say") {
  for (const Case& c : cases()) {
    if (has_definition(c)) check_definition(c);
  }
}

TEST_CASE("convolutions, products and pools of random shapes are what their definitions say, on every backend") {
  CAPTURE(first_seed);
  for (const char* op : {"conv2d", "conv2d_integer", "linear", "matmul", "matmul_integer", "max_pool", "avg_pool"}) {
    int index = 0;
    for (const Case& c : random_cases(op, first_seed, shapes_an_op)) {
      CAPTURE(index);
      check_definition(c);
      check_on_all_backends(c);
      ++index;
    }
  }
}

}  // namespace stair::tests
