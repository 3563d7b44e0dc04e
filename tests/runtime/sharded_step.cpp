#include "runtime/sharded_step.h"

#include <doctest/doctest.h>

#include <cmath>
#include <mutex>
#include <optional>

#include "frontend/compile.h"
#include "frontend/first_values.h"
#include "ir/random.h"
#include "passes/pipelines.h"
#include "runtime/trainer.h"
#include "tests/runtime/support.h"
#include "tests/runtime/threads_communicator.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"

using namespace stair;
using passes::StepPart;
using runtime::Communicator;
using runtime::Tensors;

namespace {

constexpr std::int64_t batch = 12, images = 60;

runtime::Dataset random_pictures(std::int64_t channels, std::int64_t size) {
  runtime::Dataset dataset{runtime::Tensor({ir::DType::u8, {images, channels, size, size}}), runtime::Tensor({ir::DType::i32, {images}}),
                           "FILE"};
  dataset.inputs.front() = tests::random_bytes(dataset.inputs.front().type(), 11);
  for (std::int64_t i = 0; i < images; ++i) {
    dataset.labels.front().as<std::int32_t>()[i] = static_cast<std::int32_t>(ir::random_bits(1, 2, 3, static_cast<std::uint64_t>(i)) % 10);
  }
  return dataset;
}

// Without batch-norm and dropout, which are the ops that make a shard's step depend on which images share it.
ir::Graph plain_net(std::int64_t count) {
  tests::ModelBuilder builder({count, 1, 12, 12});
  ir::ValueId x = builder.conv(builder.input(), {.out = 6, .bias = true});
  x = builder.op("max_pool", {builder.op("relu", {x})}, {{"kernel", std::vector<std::int64_t>{2, 2}}});
  x = builder.op("relu", {builder.linear(builder.op("flatten", {x}), 16)});
  return builder.finish(builder.linear(x, 10));
}

struct Run {
  std::function<ir::Graph(std::int64_t count)> model = plain_net;
  std::optional<passes::Recipe> recipe = {};
  passes::Phase phase = {};
  std::int64_t shards = 1, channels = 1, size = 12, epochs = 1;
  std::vector<const backends::Backend*> backends = stair::backends::all();

  struct Result {
    Tensors states;
    double loss = 0;
    std::int64_t correct = 0;  // of the first step
  };

  runtime::Executor part_of(StepPart part, Tensors& states) const {
    const ir::Attributes optimizer{{"optimizer", ir::Object({{"momentum", 0.9}, {"learning_rate", 0.05}, {"max_norm", 0.5}})}};
    const passes::Pipeline pipeline =
        recipe ? passes::quantized_training(*recipe, phase, {}, optimizer, part) : passes::float_training({}, optimizer, part);
    ir::Graph graph = passes::run(pipeline, model(batch / shards));
    const ir::Graph whole = model(batch);
    runtime::initialize_states(whole, 3, states);
    if (recipe) {
      const runtime::Tensor first = tests::random_images(whole.type(whole.inputs().front()), 1);
      frontend::give_first_values(whole, *recipe, std::vector{first.view()}, states);
    }
    runtime::initialize_states(graph, 3, states);
    return frontend::training_executor(std::move(graph), states, {backends, 1, 3});
  }

  Result on(Communicator& communicator) const {
    const runtime::Dataset dataset = random_pictures(channels, size);
    runtime::Batches batches(dataset, batch / shards, {{{0.5}, {0.25}}}, {{"flip", true}, {"crop_padding", std::int64_t{1}}}, 5);
    Result result;
    std::unique_ptr<runtime::Step> step;
    if (shards == 1) {
      step = std::make_unique<runtime::WholeStep>(part_of(StepPart::whole, result.states));
    } else {
      runtime::Executor shard = part_of(StepPart::shard, result.states);
      step = std::make_unique<runtime::ShardedStep>(std::move(shard), part_of(StepPart::update, result.states), shards, communicator, 2);
    }
    runtime::TrainingLoop loop;
    loop.epochs = epochs;
    loop.shards = shards;
    loop.communicator = &communicator;
    loop.program = [&](std::int64_t) -> runtime::Step& { return *step; };
    loop.report = [&](const runtime::Progress& progress) {
      result.loss = progress.loss;
      if (progress.step == 1) result.correct = *step->output("correct").as<std::int32_t>();
    };
    loop.epoch_end = [](const runtime::Progress&, double) {};
    loop.save = [](const runtime::TrainingState&) {};
    loop.interrupted = [] { return false; };
    runtime::TrainingState state;
    loop.run(batches, state);
    return result;
  }
};

double largest_difference(const runtime::Tensor& a, const runtime::Tensor& b) {
  REQUIRE(a.type() == b.type());
  double most = 0;
  if (a.type().dtype != ir::DType::f32) return tests::same_bytes(a.view(), b.view()) ? 0 : INFINITY;
  for (std::int64_t i = 0; i < a.count(); ++i) {
    most = std::max(most, static_cast<double>(std::fabs(a.as<float>()[i] - b.as<float>()[i])));
  }
  return most;
}

}  // namespace

TEST_CASE("shards of a batch make the step of the batch, where no op mixes images") {
  const Run::Result whole = Run{}.on(runtime::alone());
  for (const std::int64_t shards : {2, 3, 4, 12}) {
    CAPTURE(shards);
    const Run::Result cut = Run{.shards = shards}.on(runtime::alone());
    CHECK(cut.correct == whole.correct);
    CHECK(std::fabs(cut.loss - whole.loss) < 1e-5);
    REQUIRE(cut.states.size() == whole.states.size());
    for (const auto& state : whole.states) {
      CAPTURE(state.first);
      CHECK(largest_difference(cut.states.find(state.first)->second, state.second) < 1e-5);
    }
  }
}

TEST_CASE("learned steps take of shards the step that they take of the batch") {
  Run run;
  run.recipe = passes::recipe_from_json(R"({"weights": {"method": "lsq", "bits": 3}, "activations": {"observer": "lsq", "bits": 3}})");
  const Run::Result whole = run.on(runtime::alone());
  run.shards = 4;
  const Run::Result cut = run.on(runtime::alone());
  Tensors before;
  run.part_of(StepPart::shard, before);
  int learned = 0;
  for (const auto& state : whole.states) {
    const std::string& name = state.first;
    const runtime::Tensor& tensor = state.second;
    if (!name.ends_with(".step")) continue;
    CAPTURE(name);
    const double moved = largest_difference(before.find(name)->second, tensor);
    CHECK(moved > 0);
    CHECK(largest_difference(cut.states.find(name)->second, tensor) < 0.01 * moved);
    ++learned;
  }
  CHECK(learned >= 4);
}

TEST_CASE("observers see of shards what they see of the batch, bit for bit") {
  for (const char* recipe : {"\"int8\"", "\"classic\""}) {
    CAPTURE(std::string(recipe));
    Run run;
    run.recipe = passes::recipe_from_json(recipe);
    run.phase.quantize_activations = false;  // else what a shard's quantizers do depends on the range of its own images
    run.backends = {&backends::named("reference")};
    // The first step alone: later ones start from weights that differ by a rounding.
    const auto first_step = [&](std::int64_t shards) {
      Tensors states;
      run.shards = shards;
      const runtime::Dataset dataset = random_pictures(1, 12);
      runtime::Batches batches(dataset, batch / shards, {}, {}, 5);
      runtime::Prefetch ahead(batches, shards, [](std::int64_t n) { return runtime::Prefetch::Place{0, n}; });
      if (shards == 1) {
        runtime::WholeStep(run.part_of(StepPart::whole, states)).run(ahead, 0, 0);
      } else {
        runtime::Executor shard = run.part_of(StepPart::shard, states);
        runtime::ShardedStep(std::move(shard), run.part_of(StepPart::update, states), shards, runtime::alone(), 1).run(ahead, 0, 0);
      }
      return states;
    };
    const Tensors whole = first_step(1);
    const Tensors cut = first_step(4);
    int seen = 0;
    for (const auto& state : whole) {
      const std::string& name = state.first;
      const runtime::Tensor& tensor = state.second;
      if (!name.ends_with(".min") && !name.ends_with(".max")) continue;
      CAPTURE(name);
      CHECK(tests::same_bytes(tensor.view(), cut.find(name)->second.view()));
      CHECK(std::isfinite(*tensor.as<float>()));
      ++seen;
    }
    CHECK(seen >= 4);
  }
}

TEST_CASE("however many processes share the shards of a step, the states have the same bits") {
  for (const bool quantized : {false, true}) {
    CAPTURE(quantized);
    Run run{.model = tests::small_mixed_net, .shards = 6, .channels = 3, .size = 8};
    if (quantized) run.recipe = passes::recipe_from_json("\"int8\"");
    const Run::Result one = run.on(runtime::alone());
    for (const int processes : {2, 3, 6}) {
      CAPTURE(processes);
      std::vector<Run::Result> results(static_cast<std::size_t>(processes));
      tests::with_processes(
          processes, [&](Communicator& communicator) { results[static_cast<std::size_t>(communicator.rank())] = run.on(communicator); });
      for (const Run::Result& result : results) {
        CHECK(tests::differing(result.states, one.states) == "");
        CHECK(result.loss == one.loss);
        CHECK(result.correct == one.correct);
      }
    }
  }
}
