#include "runtime/finite.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "frontend/compile.h"
#include "ir/op.h"
#include "ir/text.h"
#include "passes/pipelines.h"
#include "runtime/batches.h"
#include "runtime/checkpoint.h"
#include "runtime/prefetch.h"
#include "runtime/step.h"
#include "tests/runtime/support.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"

using namespace stair;
using tests::error_of;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

const float wrong[] = {not_a_number, -not_a_number, infinity, -infinity};
const float right[] = {
    0.0F,    -0.0F, std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest(), std::numeric_limits<float>::denorm_min(),
    -1e-40F, 1.0F};

runtime::Tensor floats(const ir::Shape& shape, float value) {
  runtime::Tensor tensor({ir::DType::f32, shape});
  std::fill_n(tensor.as<float>(), tensor.count(), value);
  return tensor;
}

// What an execution of the graph says; its states begin with `states`, its inputs are filled with a value each.
std::string run_error(const std::string& text, const std::vector<std::pair<std::string, float>>& values, const backends::Backend& backend,
                      int threads) {
  ir::Graph graph = ir::parse("sir 1\ngraph \"g\"\n" + text, "g");
  runtime::Tensors states;
  runtime::initialize_states(graph, 0, states);
  std::vector<runtime::Tensor> inputs;
  std::vector<ir::TensorView> views;
  for (const ir::ValueId input : graph.inputs()) {
    inputs.push_back(floats(graph.type(input).shape, 0.5F));
    views.push_back(inputs.back().view());
  }
  for (const auto& [name, value] : values) {
    const ir::ValueId id = graph.find(name);
    const auto state = states.find(name);
    const runtime::Tensor& tensor =
        state != states.end()
            ? state->second
            : inputs[static_cast<std::size_t>(std::find(graph.inputs().begin(), graph.inputs().end(), id) - graph.inputs().begin())];
    tensor.as<float>()[tensor.count() - 1] = value;
  }
  runtime::Executor executor = frontend::executor_for(std::move(graph), states, {{&backend}, threads, 0});
  return error_of([&] { executor.run(views); });
}

}  // namespace

TEST_CASE("NaN and infinities are found wherever they stand, and nothing else is") {
  for (const std::int64_t count : {1, 7, 16, 33, 1000, 65537}) {
    CAPTURE(count);
    runtime::Tensor tensor({ir::DType::f32, {count}});
    for (std::int64_t i = 0; i < count; ++i) tensor.as<float>()[i] = right[static_cast<std::size_t>(i) % std::size(right)];
    for (const int threads : {1, 3}) CHECK(!runtime::first_not_finite(tensor.view(), threads));
    for (std::int64_t at = 0; at < count; at += 1 + count / 50) {
      for (const float value : wrong) {
        const float before = tensor.as<float>()[at];
        tensor.as<float>()[at] = value;
        tensor.as<float>()[count - 1] = value;
        for (const int threads : {1, 3}) CHECK(runtime::first_not_finite(tensor.view(), threads) == at);
        tensor.as<float>()[at] = before;
        tensor.as<float>()[count - 1] = 1;
      }
    }
  }
  const runtime::Tensor integers = tests::random_bytes({ir::DType::i32, {100}}, 1);
  CHECK(!runtime::first_not_finite(integers.view()));
}

TEST_CASE("what becomes of a state is finite, or the execution stops with its name, whoever computes it") {
  const std::string inputs = "%w = state parameter constant(0.25) : f32[3,1000]\n%g = input : f32[3,1000]\n%lr = input : f32[1]\n";
  struct Update {
    std::string text, from, value;
  };
  const std::vector<Update> updates{
      {"%next = sgd(%w, %g, %lr)\nupdate %w = %next\n", "g", "'next' (sgd 'next')"},
      {"%next = sgd(%w, %g, %lr)\nupdate %w = %next\n", "lr", "'next' (sgd 'next')"},
      {"%next = sgd(%w, %g, %lr)\n%clipped = clip(%next) {high=1.0, low=-1.0}\nupdate %w = %clipped\n", "g", "'next' (sgd 'next')"},
      {"%v = state slot constant(0.0) : f32[3,1000]\n%next, %next.v = sgd_momentum(%w, %g, %lr, %v)\nupdate %w = %next\nupdate %v = "
       "%next.v\n",
       "g", "'next' (sgd_momentum 'next')"},
      {"%v = state slot constant(0.0) : f32[3,1000]\n%next, %next.v = sgd_momentum(%w, %g, %lr, %v)\nupdate %w = %next\nupdate %v = "
       "%next.v\n",
       "lr", "'next' (sgd_momentum 'next')"},
      {"%m = state slot constant(0.0) : f32[3,1000]\n%v = state slot constant(0.0) : f32[3,1000]\n%step = state counter constant(0.0) : "
       "i64[1]\n"
       "%next, %next.m, %next.v = adam(%w, %g, %lr, %m, %v, %step)\nupdate %w = %next\nupdate %m = %next.m\nupdate %v = %next.v\n",
       "g", "'next"},
      {"%next = exponential_moving_average(%w, %g)\nupdate %w = %next\n", "g", "'next' (exponential_moving_average 'next')"},
      {"update %w = %g\n", "g", "'g'"},
  };
  for (const char* name : {"openblas", "reference"}) {
    for (const int threads : {1, 2}) {
      for (const Update& update : updates) {
        CAPTURE(name);
        CAPTURE(update.text);
        const auto error = [&](float value) {
          return run_error(inputs + update.text, {{update.from, value}}, backends::named(name), threads);
        };
        CHECK(error(0.5F) == "no error");
        for (const float value : wrong) {
          const std::string found = error(value);
          CHECK(found.starts_with(update.value));
          CHECK(found.find(" isn't finite: element ") != std::string::npos);
          if (update.from == "g" && update.text.find("adam") == std::string::npos)
            CHECK(found.find("element 2999 is ") != std::string::npos);
        }
      }
    }
  }
}

TEST_CASE("slots that overflow are found where the weights don't show it") {
  const std::string adam =
      "%w = state parameter constant(0.25) : f32[3000]\n%g = input : f32[3000]\n%lr = input : f32[1]\n%m = state slot constant(0.0) : "
      "f32[3000]\n"
      "%v = state slot constant(0.0) : f32[3000]\n%step = state counter constant(0.0) : i64[1]\n%next, %next.m, %next.v = adam(%w, %g, "
      "%lr, %m, %v, "
      "%step)\nupdate %w = %next\nupdate %m = %next.m\nupdate %v = %next.v\n";
  const std::string momentum =
      "%w = state parameter constant(0.25) : f32[3000]\n%g = input : f32[3000]\n%lr = input : f32[1]\n%v = state slot constant(3e38) : "
      "f32[3000]\n"
      "%next, %next.v = sgd_momentum(%w, %g, %lr, %v)\nupdate %w = %next\nupdate %v = %next.v\n";
  for (const char* name : {"openblas", "reference"}) {
    for (const int threads : {1, 2}) {
      CHECK(run_error(adam, {{"g", 1e25F}}, backends::named(name), threads) == "'next.v' (adam 'next') isn't finite: element 2999 is inf");
      // 0 of infinity is no number: a rate of 0 hides nothing.
      CHECK(run_error(momentum, {{"g", 3e38F}, {"lr", 0.0F}}, backends::named(name), threads) ==
            "'next' (sgd_momentum 'next') isn't finite: element 2999 is nan");
    }
  }
}

TEST_CASE("observers stop at what isn't finite, and begin with nothing seen") {
  for (const char* op : {"observe_min_max(%x, %low, %high)", "observe_average(%x, %low, %high, %count)"}) {
    const bool counts = std::string(op).find("count") != std::string::npos;
    const std::string text =
        "%x = input : f32[2,3]\n%low = state observer constant(inf) : f32[1]\n%high = state observer constant(-inf) : f32[1]\n" +
        std::string(counts ? "%count = state observer constant(0.0) : i64[1]\n" : "") + "%seen, %seen.max" +
        (counts ? ", %seen.count" : "") + " = " + op + "\nupdate %low = %seen\nupdate %high = %seen.max\n" +
        (counts ? "update %count = %seen.count\n" : "");
    for (const char* name : {"openblas", "reference"}) {
      CAPTURE(op);
      CAPTURE(name);
      CHECK(run_error(text, {}, backends::named(name), 1) == "no error");
      CHECK(run_error(text, {{"x", infinity}}, backends::named(name), 1).starts_with("'seen.max' (observe_"));
      CHECK(run_error(text, {{"x", -infinity}}, backends::named(name), 1).starts_with("'seen' (observe_"));
    }
  }
}

TEST_CASE("states that a file brings are finite; ranges that have seen nothing are what they begin with") {
  const ir::Graph graph = ir::parse(
      "sir 1\ngraph \"g\"\n%w = state parameter constant(1.0) : f32[2]\n%low = state observer constant(inf) : f32[1]\n%y = "
      "relu(%w)\noutput y = %y\n",
      "g");
  const auto error = [&](const char* name, float value) {
    runtime::Tensors states;
    runtime::initialize_states(graph, 0, states);
    states.find(name)->second.as<float>()[states.find(name)->second.count() - 1] = value;
    return error_of([&] { runtime::initialize_states(graph, 0, states); });
  };
  CHECK(error("w", 3) == "no error");
  CHECK(error("w", not_a_number) == "tensor 'w': element 1 is nan, expected finite numbers");
  CHECK(error("w", infinity) == "tensor 'w': element 1 is inf, expected finite numbers");
  CHECK(error("low", infinity) == "no error");
  CHECK(error("low", -3) == "no error");
  CHECK(error("low", -infinity) == "tensor 'low': element 0 is -inf, expected finite numbers");
  CHECK(error("low", not_a_number) == "tensor 'low': element 0 is nan, expected finite numbers");
}

TEST_CASE("a step whose loss is finite stops at a state that isn't, with the step") {
  for (const bool quantized : {false, true}) {
    CAPTURE(quantized);
    const ir::Attributes sgd{{"optimizer", ir::Object({{"momentum", 0.9}, {"learning_rate", 10.0}})}};
    const passes::Pipeline pipeline =
        quantized ? passes::quantized_training(passes::recipe_from_json("\"int8\""), {}, {}, sgd) : passes::float_training({}, sgd);
    runtime::Tensors states;
    constexpr std::int64_t batch = 4;
    runtime::Executor executor = frontend::compile(tests::small_lenet(batch), pipeline, batch, states, {});
    for (auto& [name, tensor] : states) {
      if (name.ends_with("weight.momentum")) tensor.as<float>()[1] = 3e38F;
    }
    runtime::Dataset dataset{tests::random_bytes({ir::DType::u8, {8, 1, 12, 12}}, 1), runtime::Tensor({ir::DType::i32, {8}}), "FILE"};
    runtime::Batches batches(dataset, batch, {}, {}, 1);
    runtime::Prefetch ahead(batches, 1, [](std::int64_t n) { return runtime::Prefetch::Place{0, n}; });
    runtime::WholeStep step(std::move(executor));
    const std::string error = error_of([&] { step.run(ahead, 41, 2); });
    CHECK(error.starts_with("step 41 (epoch 3): '"));
    CHECK(error.find(".weight.next' (sgd_momentum '") != std::string::npos);
    CHECK(error.ends_with(" isn't finite: element 1 is -inf"));
  }
}

TEST_CASE("constants that aren't finite are not exported, nor integers of what isn't") {
  for (const char* recipe : {"\"int8\"", "\"classic\"", R"({"requantization": "fixed_point"})"}) {
    CAPTURE(std::string(recipe));
    tests::QuantizedRun run = tests::quantized_run(tests::small_lenet(2), recipe, 1);
    for (const auto& [state, value] : {std::pair{"bn.var", -1.0F}, std::pair{"bn.gamma", 3e38F}}) {
      const std::string name = state;
      CAPTURE(name);
      float& element = run.states.find(name)->second.as<float>()[2];
      const float before = element;
      element = value;
      const std::string error = error_of([&] { frontend::deploy(run.model, run.recipe, run.states); });
      CHECK(error.starts_with("export: '"));
      CHECK(error.find("expected finite numbers") != std::string::npos);
      element = before;
    }
    CHECK(error_of([&] { frontend::deploy(run.model, run.recipe, run.states); }) == "no error");
  }
}

TEST_CASE("a checkpoint of numbers that aren't finite names the tensor") {
  const tests::TemporaryFolder folder;
  const auto error = [&](const ir::Shape& shape, float value) {
    runtime::Checkpoint checkpoint;
    checkpoint.states.emplace("t", floats(shape, 1));
    checkpoint.states.find("t")->second.as<float>()[ir::element_count(shape) - 1] = value;
    runtime::save_checkpoint(checkpoint, folder / "c");
    return error_of([&] { runtime::load_checkpoint(folder / "c"); });
  };
  CHECK(error({2, 3}, 4) == "no error");
  for (const float value : wrong) CHECK(error({2, 3}, value).starts_with(folder / "c: tensor 't': element 5 is "));
  CHECK(error({1}, infinity) == "no error");  // a range that has seen nothing
  CHECK(error({1}, not_a_number) == folder / "c: tensor 't': element 0 is nan, expected finite numbers");
}
