#include "ir/graph.h"

#include <doctest/doctest.h>

#include "ir/error.h"
#include "ir/rebatch.h"
#include "ir/text.h"

using namespace stair;

namespace {

using ir::DType;
using ir::Graph;
using ir::ValueId;

struct Fixture {
  Graph graph;
  ValueId x = graph.add_input("x", {DType::f32, {2, 3}});
  ValueId image = graph.add_input("image", {DType::f32, {2, 3, 8, 8}});
  ValueId weight = graph.add_state("weight", {DType::f32, {4, 2, 3, 3}}, {});
};

Graph parsed(const std::string& body) {
  return ir::parse("sir 1\ngraph \"g\"\n" + body, "test");
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "operands that don't fit are named with their shapes and the node") {
  CHECK_THROWS_WITH_AS(graph.add("conv2d", {image, weight}, {}, "conv1"),
                       "conv2d 'conv1': x [2,3,8,8] and weight [4,2,3,3] don't fit: weight has 2 input channels a group, expected 3",
                       Error);
  CHECK_THROWS_WITH_AS(graph.add("add", {x, image}, {}, "sum"), "add 'sum': shapes [2,3] and [2,3,8,8] don't broadcast", Error);
  CHECK_THROWS_WITH_AS(graph.add("conv2d", {image}, {}, "conv1"), "conv2d 'conv1': operand 'weight' is missing", Error);
  CHECK_THROWS_WITH_AS(graph.add("relu", {x, x}, {}, "r"), "relu 'r': 2 operands, expected at most 1", Error);
  CHECK_THROWS_WITH_AS(graph.add("reluu", {x}), doctest::Contains("(did you mean 'relu'?)"), Error);
}

TEST_CASE_FIXTURE(Fixture, "attributes are completed and checked") {
  CHECK(graph.add("leaky_relu", {x}, {{"slope", std::int64_t{1}}}).attributes.number("slope") == 1.0);
  CHECK(graph.add("leaky_relu", {x}).attributes.number("slope") == 0.01);
  CHECK_THROWS_WITH_AS(graph.add("leaky_relu", {x}, {{"slop", 0.1}}, "l"),
                       "leaky_relu 'l': unknown attribute 'slop' (did you mean 'slope'?)", Error);
  CHECK_THROWS_WITH_AS(graph.add("leaky_relu", {x}, {{"slope", std::string("1")}}, "l"),
                       "leaky_relu 'l': attribute 'slope' is a text, expected a number", Error);
  CHECK_THROWS_WITH_AS(graph.add("max_pool", {image}, {}, "p"), "max_pool 'p': attribute 'kernel' is missing, expected a list of integers",
                       Error);
}

TEST_CASE_FIXTURE(Fixture, "names are unique: nodes take the next free one, inputs and states must find theirs free") {
  graph.emit("relu", {x}, {}, "x");
  graph.emit("relu", {x});
  graph.emit("relu", {x});
  CHECK(graph.find("x_2") != ir::absent);
  CHECK(graph.find("relu") != ir::absent);
  CHECK(graph.find("relu_2") != ir::absent);
  CHECK(graph.unique_name("relu") == "relu_3");
  CHECK(graph.unique_name("free") == "free");
  CHECK_THROWS_WITH_AS(graph.add_input("x", {DType::f32, {1}}), "the name 'x' is taken", Error);
  CHECK_THROWS_WITH_AS(graph.add_state("relu", {DType::f32, {1}}, {}), "the name 'relu' is taken", Error);
  CHECK_THROWS_WITH_AS(graph.add_input("empty", {DType::f32, {2, 0}}),
                       "value 'empty' has the shape [2,0], expected dimensions of at least 1", Error);
  CHECK_THROWS_WITH_AS(graph.add_input("huge", {DType::f32, {1 << 30, 1 << 30, 1 << 30}}),
                       "value 'huge' has the shape [1073741824,1073741824,1073741824], expected at most 2^40 elements", Error);
}

TEST_CASE_FIXTURE(Fixture, "an update has the type of its state, and the last one counts") {
  CHECK_THROWS_WITH_AS(graph.add_update(weight, x), "update of 'weight': f32[2,3] from 'x', expected f32[4,2,3,3]", Error);
  CHECK_THROWS_WITH_AS(graph.add_update(x, x), "update of 'x', which is no state", Error);
  const ValueId next = graph.emit("relu", {weight});
  graph.add_update(weight, weight);
  graph.add_update(weight, next);
  REQUIRE(graph.updates().size() == 1);
  CHECK(graph.updates()[0].value == next);
}

TEST_CASE_FIXTURE(Fixture, "an output is found by name, or its nearest is named") {
  graph.add_output("logits", x);
  CHECK(graph.output("logits") == x);
  CHECK_THROWS_WITH_AS(graph.output("logit"), "graph 'main' has no output 'logit' (did you mean 'logits'?)", Error);
}

TEST_CASE_FIXTURE(Fixture, "uses count a node that reads twice, and what leaves the graph") {
  const ValueId twice = graph.emit("add", {x, x});
  graph.add_output("y", twice);
  const ir::Uses uses(graph);
  CHECK(uses.nodes[static_cast<std::size_t>(x)].size() == 2);
  CHECK_FALSE(uses.single(x));
  CHECK_FALSE(uses.single(twice));
  CHECK(uses.leaves[static_cast<std::size_t>(twice)]);
}

TEST_CASE_FIXTURE(Fixture, "a rewriter that forgets a value says which") {
  const ValueId y = graph.emit("relu", {x}, {}, "y");
  graph.add_output("y", y);
  ir::Rewriter rewriter(graph);
  CHECK_THROWS_WITH_AS(rewriter.finish(), "rewriting 'main': nothing stands for 'y' yet", InternalError);
}

TEST_CASE("roles have names, and a wrong one is answered with all of them") {
  for (const char* name : {"parameter", "statistic", "observer", "slot", "counter", "constant"}) {
    CHECK(ir::name_of(ir::role_named(name)) == name);
  }
  CHECK_THROWS_WITH_AS(ir::role_named("param"), doctest::Contains("unknown state role 'param', expected 'parameter', "), Error);
}

TEST_CASE("with_batch changes the first dimension of the inputs and infers the rest anew") {
  const Graph graph = parsed(
      "%x = input : f32[4,2,6,6]\n%w = state statistic uniform(0.5) : f32[3,2,3,3]\n%c = conv2d(%x, %w)\n"
      "%f = flatten(%c)\noutput y = %f\nupdate %w = %w\n");
  CHECK(ir::print(ir::with_batch(graph, 7)) ==
        "sir 1\ngraph \"g\"\n%x = input : f32[7,2,6,6]\n%w = state statistic uniform(0.5) : f32[3,2,3,3]\n"
        "%c = conv2d(%x, %w) : f32[7,3,4,4]\n%f = flatten(%c) : f32[7,48]\noutput y = %f\nupdate %w = %w\n");
  CHECK(ir::print(ir::with_batch(graph, 4)) == ir::print(graph));
}

TEST_CASE("with_batch refuses a graph that spells its batch out") {
  const Graph graph = parsed("%x = input : f32[4,6]\n%r = reshape(%x) {shape=[4,2,3]}\noutput y = %r\n");
  CHECK_THROWS_WITH_AS(ir::with_batch(graph, 2), "reshape 'r': x [2,6] has 12 elements, the shape [4,2,3] doesn't hold them", Error);
}

TEST_CASE("with_batch refuses a graph that trains: its gradients are those of its batch") {
  const Graph graph = parsed("%x = input : f32[4,6]\n%w = state parameter constant(0.5) : f32[4,6]\n%r = add(%x, %w)\nupdate %w = %r\n");
  CHECK_THROWS_WITH_AS(ir::with_batch(graph, 2),
                       "graph 'g' trains 'w' on batches of 4, expected a model or an inference graph for batches of 2", Error);
  CHECK(ir::print(ir::with_batch(graph, 4)) == ir::print(graph));
}

TEST_CASE("with_batch keeps an input without dimensions as it is") {
  const Graph graph = parsed("%x = input : f32[]\n%r = relu(%x)\noutput y = %r\n");
  CHECK(ir::print(ir::with_batch(graph, 2)) == ir::print(graph));
}
