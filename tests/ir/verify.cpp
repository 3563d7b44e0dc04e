#include "ir/verify.h"

#include <doctest/doctest.h>

#include "ir/error.h"
#include "tests/support/model_builder.h"

using namespace stair;

// What the pipelines make of models is verified in tests/passes/text_round_trip.cpp. Most unsound graphs can't be built: Graph::add and
// add_update throw before (tests/ir/graph.cpp).

TEST_CASE("models are sound") {
  CHECK_NOTHROW(ir::verify(ir::Graph{}));
  CHECK_NOTHROW(ir::verify(tests::small_lenet(2)));
  CHECK_NOTHROW(ir::verify(tests::small_mixed_net(2)));
  for (std::uint64_t seed = 0; seed < 31; ++seed) CHECK_NOTHROW(ir::verify(tests::random_net(seed, 2)));
}

TEST_CASE("an output without a value is refused") {
  ir::Graph graph = tests::small_lenet(1);
  graph.name = "lenet";
  graph.add_output("nothing", ir::absent);
  CHECK_THROWS_WITH_AS(ir::verify(graph), "graph 'lenet': output 'nothing' has no value", InternalError);
}

TEST_CASE("two outputs of one name are refused") {
  ir::Graph graph = tests::small_lenet(1);
  CHECK_THROWS_WITH_AS(graph.add_output("logits", graph.output("logits")), "graph 'main': the output 'logits' stands twice", Error);
}
