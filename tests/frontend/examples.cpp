#include "ir/examples.h"

#include <doctest/doctest.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "frontend/compile.h"
#include "frontend/readers/model_reader.h"
#include "ir/error.h"
#include "ir/op.h"
#include "ir/random.h"
#include "ir/rebatch.h"
#include "passes/pipelines.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"
#include "tests/support/seeds.h"

// Examples of a batch stay apart in every model that is accepted, and models in which they don't are refused.

using namespace stair;

namespace {

constexpr std::int64_t together = 4;

// The logits of a batch, and of one with other examples beside example `kept`.
struct TwoBatches {
  std::vector<char> before, after;
};

// The bytes of example `kept` of an output.
std::vector<char> row_of(const ir::TensorView& logits, std::int64_t kept) {
  const std::size_t bytes = ir::byte_count(logits.type) / static_cast<std::size_t>(together);
  const char* data = logits.as<char>() + bytes * static_cast<std::size_t>(kept);
  return {data, data + bytes};
}

TwoBatches two_batches(runtime::Executor& executor, std::uint64_t seed, std::int64_t kept) {
  const ir::Graph& graph = executor.graph();
  const ir::Type& type = graph.type(graph.inputs().front());
  const runtime::Tensor first = tests::random_images(type, seed);
  const runtime::Tensor second = tests::random_images(type, seed + 1000);
  const std::size_t bytes = first.bytes() / static_cast<std::size_t>(together);
  std::memcpy(second.as<char>() + bytes * static_cast<std::size_t>(kept), first.as<char>() + bytes * static_cast<std::size_t>(kept), bytes);
  TwoBatches made;
  for (const auto& [input, logits] : {std::pair{&first, &made.before}, std::pair{&second, &made.after}}) {
    const std::vector<ir::TensorView> inputs{input->view()};
    executor.run(inputs);
    *logits = row_of(executor.output(graph.outputs().front().name), kept);
  }
  return made;
}

// Whether the logits of an example depend on the others, by the reference; or the model is for one batch alone.
bool mixes_examples(const ir::Graph& model, std::uint64_t seed) {
  try {
    runtime::Tensors states;
    frontend::CompileOptions options;
    options.backends = {&backends::named("reference")};
    runtime::Executor executor = frontend::compile(model, passes::float_evaluation(), together, states, options);
    const ir::Shape& logits = executor.graph().type(executor.graph().output("logits")).shape;
    if (logits.empty() || logits.front() != together) return true;
    for (std::int64_t kept = 0; kept < together; ++kept) {
      const TwoBatches made = two_batches(executor, seed, kept);
      if (made.before != made.after) return true;
    }
    return false;
  } catch (const Error&) {
    return true;
  }
}

std::string refusal_of_model(const std::string& layers) {
  try {
    readers::read_model(ir::Json::parse(R"({"input": {"shape": [3, 4, 4]}, "layers": [)" + layers + "]}"), "m.json", 1);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

const std::string class_layer = R"(, {"op": "linear", "features": 10})";

}  // namespace

TEST_CASE("of models of moves those are accepted in which no example depends on another, bit by bit") {
  std::size_t apart = 0;
  std::size_t refused = 0;
  std::size_t without_need = 0;
  for (const std::uint64_t seed : tests::seeds(150)) {
    INFO(tests::replay(seed));
    const ir::Graph model = tests::random_moving_net(seed, 1, true);
    const std::optional<ir::Meeting> meeting = ir::where_examples_meet(model);
    const std::string message = meeting ? meeting->message : "";
    CAPTURE(message);
    const bool mixing = mixes_examples(model, seed);
    CHECK((!mixing || meeting));
    ++(meeting ? refused : apart);
    if (meeting && !mixing) ++without_need;
    CHECK_FALSE(ir::where_examples_meet(tests::random_moving_net(seed, 1)));
    CHECK_FALSE(ir::where_examples_meet(tests::random_net(seed, 2)));
    CHECK_FALSE(ir::where_examples_meet(tests::random_attention_net(seed, 2)));
  }
  if (apart + refused < 100) return;
  CHECK(apart > 25);
  CHECK(refused > 25);
  CHECK(without_need * 10 < refused);  // such as a mixture that no logit shows
}

TEST_CASE("integers of an example don't depend on the others of its batch, on any backend") {
  for (const std::uint64_t seed : tests::seeds(12)) {
    INFO(tests::replay(seed));
    const ir::Graph nets[] = {tests::random_moving_net(seed, 4), tests::random_net(seed, 4), tests::random_attention_net(seed, 4)};
    tests::QuantizedRun run = tests::quantized_run(nets[seed % 3], "\"int8\"", 1, seed);
    const ir::Graph graph = ir::with_batch(run.deployment.graph, together);
    for (const char* name : {"reference", "int8"}) {
      CAPTURE(name);
      frontend::CompileOptions options;
      options.backends = {&backends::named(name)};
      runtime::Executor executor = frontend::executor_for(graph, run.deployment.constants, options);
      for (const std::int64_t kept : {std::int64_t{0}, together - 1}) {
        const TwoBatches made = two_batches(executor, seed, kept);
        CHECK(made.before == made.after);
      }
    }
  }
}

TEST_CASE("a model that mixes examples is refused at the layer that does so") {
  const std::string flat = R"({"op": "flatten"}, )";
  const auto starts = [](const std::string& layers, const std::string& begin) {
    const std::string message = refusal_of_model(layers);
    CAPTURE(message);
    CHECK(message.starts_with(begin));
  };
  CHECK(refusal_of_model(flat + R"({"op": "softmax", "axis": 0})" + class_layer) ==
        "m.json /layers/1: softmax 'softmax' mixes the examples of a batch, which lie along dimension 0 of 'flatten' [N,48]");
  starts(flat + R"({"op": "log_softmax", "axis": -2})" + class_layer, "m.json /layers/1: log_softmax 'log_softmax' mixes the examples");
  for (const char* op : {"reduce_sum", "reduce_mean", "reduce_max"}) {
    starts(flat + R"({"op": ")" + op + R"(", "axes": [0], "keep": true})" + class_layer, "m.json /layers/1: " + std::string(op));
  }
  starts(flat + R"({"op": "concat", "axis": 0, "inputs": ["flatten", "flatten"]})" + class_layer, "m.json /layers/1: concat");
  starts(flat + R"({"op": "slice", "axes": [0], "starts": [0], "ends": [1]})" + class_layer, "m.json /layers/1: slice");
  starts(flat + R"({"op": "pad", "padding": [1, 0, 0, 0]}, {"op": "slice", "axes": [0], "starts": [0], "ends": [1]})" + class_layer,
         "m.json /layers/1: pad");
  starts(flat + R"({"op": "matmul", "transpose_b": true, "inputs": ["flatten", "flatten"]})" + class_layer, "m.json /layers/1: matmul");
  starts(
      flat + R"({"op": "transpose", "permutation": [1, 0]}, {"op": "softmax"}, {"op": "transpose", "permutation": [1, 0]})" + class_layer,
      "m.json /layers/2: softmax 'softmax' mixes the examples of a batch, which lie along dimension 1 of 'transpose' [48,N]");
  starts(R"({"op": "flatten", "axis": 0}, {"op": "softmax"}, {"op": "reshape", "shape": [-1, 48]})" + class_layer,
         "m.json /layers/1: softmax");
  CHECK(
      refusal_of_model(R"({"op": "flatten", "axis": 0})" + class_layer) ==
      "m.json /layers/1: linear 'linear' fixes the number of examples: with N of them it reads [1,48N] and [10,48] and [10], which doesn't "
      "fit; expected what holds for any batch");
  starts(flat + R"({"op": "reshape", "shape": [1, 48]})" + class_layer, "m.json /layers/1: reshape 'reshape' fixes the number of examples");
  CHECK(refusal_of_model(flat + R"({"op": "linear", "features": 10}, {"op": "transpose", "permutation": [1, 0]})") ==
        "m.json /layers/2: the output 'logits' is [10,N], expected dimension 0 to count the examples of a batch");
}

TEST_CASE("a model whose examples go along other dimensions for a while is right") {
  CHECK(refusal_of_model(R"({"op": "flatten"}, {"op": "transpose", "permutation": [1, 0]}, {"op": "relu"}, {"op": "softmax", "axis": 0},
                   {"op": "transpose", "permutation": [1, 0]})" +
                         class_layer)
            .empty());
  CHECK(
      refusal_of_model(
          R"({"op": "reshape", "shape": [-1, 16]}, {"op": "linear", "features": 5}, {"op": "softmax"}, {"op": "reshape", "shape": [-1, 15]})" +
          class_layer)
          .empty());
  CHECK(refusal_of_model(R"({"op": "reshape", "shape": [0, 3, 16]}, {"op": "matmul", "transpose_b": true, "inputs": ["reshape", "reshape"]},
                   {"op": "flatten"})" +
                         class_layer)
            .empty());
}
