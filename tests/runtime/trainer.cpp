#include "runtime/trainer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "frontend/compile.h"
#include "ir/random.h"
#include "runtime/checkpoint.h"
#include "tests/runtime/support.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"

using namespace stair;
using runtime::Progress;
using runtime::TrainingState;
using tests::error_of;

namespace {

constexpr std::int64_t batch_images = 8, pictures = 44, epochs = 3, steps_per_epoch = pictures / batch_images;

runtime::Dataset random_pictures() {
  runtime::Dataset dataset{runtime::Tensor({ir::DType::u8, {pictures, 1, 12, 12}}), runtime::Tensor({ir::DType::i32, {pictures}}), "FILE"};
  dataset.inputs.front() = tests::random_bytes(dataset.inputs.front().type(), 11);
  for (std::int64_t i = 0; i < pictures; ++i) {
    dataset.labels.front().as<std::int32_t>()[i] = static_cast<std::int32_t>(ir::random_bits(1, 2, 3, static_cast<std::uint64_t>(i)) % 10);
  }
  return dataset;
}

passes::Pipeline training(bool quantized, double learning_rate = 0.02) {
  const ir::Attributes sgd{{"optimizer", ir::Object({{"momentum", 0.9}, {"learning_rate", learning_rate}})},
                           {"schedule", std::string("cosine")},
                           {"epochs", std::int64_t{epochs}},
                           {"steps_per_epoch", std::int64_t{steps_per_epoch}}};
  return quantized ? passes::quantized_training(passes::recipe_from_json("\"int8\""), {}, {}, sgd) : passes::float_training({}, sgd);
}

// What the end of an epoch reports.
struct Epoch {
  std::int64_t step, epoch;
  double loss, accuracy, learning_rate;
  bool operator==(const Epoch&) const = default;
};

// A stage of training as a process sees it: its states, where it stands, what it has reported.
struct Stage {
  passes::Pipeline pipeline;
  int threads = 1;
  runtime::Tensors states;
  TrainingState state;
  std::vector<Epoch> ended;
  std::vector<std::int64_t> saved_at;  // steps
  std::int64_t checkpoint_every = 0;
  std::int64_t interrupt_at = -1;  // step
  std::function<void(const Progress&)> watch = [](const Progress&) {};

  bool run() {
    const runtime::Dataset dataset = random_pictures();
    runtime::Batches batches(dataset, batch_images, {{{0.5}, {0.25}}}, {{"flip", true}, {"crop_padding", std::int64_t{1}}}, 5);
    frontend::CompileOptions options;
    options.threads = threads;
    runtime::WholeStep step(frontend::compile(tests::small_lenet(batch_images), pipeline, batch_images, states, options));
    runtime::TrainingLoop loop;
    loop.epochs = epochs;
    loop.checkpoint_every = checkpoint_every;
    loop.program = [&](std::int64_t) -> runtime::Step& { return step; };
    loop.report = [&](const Progress& progress) { watch(progress); };
    loop.epoch_end = [&](const Progress& p, double) { ended.push_back({p.step, p.epoch, p.loss, p.accuracy.value(), p.learning_rate}); };
    loop.save = [&](const TrainingState& now) { saved_at.push_back(now.step); };
    loop.interrupted = [&] { return state.step == interrupt_at; };
    return loop.run(batches, state);
  }
};

Stage stage_of(bool quantized, int threads = 1) {
  Stage stage;
  stage.pipeline = training(quantized);
  stage.threads = threads;
  return stage;
}

}  // namespace

TEST_CASE("a run that was interrupted and resumed from a checkpoint ends in the same bits") {
  const tests::TemporaryFolder folder;
  for (const bool quantized : {false, true}) {
    CAPTURE(quantized);
    Stage whole = stage_of(quantized);
    REQUIRE(whole.run());
    CHECK(whole.ended.size() == epochs);
    for (const std::int64_t step : {1, 3, 5, 7, 14}) {
      CAPTURE(step);
      Stage first = stage_of(quantized);
      first.interrupt_at = step;
      CHECK(!first.run());
      CHECK(first.state.step == step);
      CHECK(first.saved_at.back() == step);
      runtime::Checkpoint checkpoint;
      checkpoint.states = std::move(first.states);
      checkpoint.step = first.state.step;
      checkpoint.loss_sum = first.state.loss_sum;
      checkpoint.correct = first.state.correct;
      runtime::save_checkpoint(checkpoint, folder / "c");

      runtime::Checkpoint loaded = runtime::load_checkpoint(folder / "c");
      Stage second = stage_of(quantized);
      second.states = std::move(loaded.states);
      second.state = {loaded.step, loaded.loss_sum, loaded.correct};
      CHECK(second.run());
      CHECK(tests::differing(second.states, whole.states) == "");
      std::vector<Epoch> ended = first.ended;
      ended.insert(ended.end(), second.ended.begin(), second.ended.end());
      CHECK(ended == whole.ended);
    }
  }
}

// N-REPEAT
TEST_CASE("the number of threads changes no bit of the states") {
  for (const bool quantized : {false, true}) {
    CAPTURE(quantized);
    Stage one = stage_of(quantized, 1);
    Stage two = stage_of(quantized, 2);
    one.interrupt_at = two.interrupt_at = steps_per_epoch + 1;
    REQUIRE(!one.run());
    REQUIRE(!two.run());
    CHECK(tests::differing(one.states, two.states) == "");
    CHECK(one.ended == two.ended);
  }
}

TEST_CASE("progress is that of the steps so far, and checkpoints come when they were asked for") {
  Stage stage = stage_of(false);
  stage.checkpoint_every = 4;
  std::int64_t expected_step = 0;
  stage.watch = [&](const Progress& progress) {
    CHECK(progress.step == ++expected_step);
    CHECK(progress.steps == epochs * steps_per_epoch);
    CHECK(progress.epochs == epochs);
    CHECK(progress.epoch == (progress.step - 1) / steps_per_epoch);
    CHECK(progress.epoch_ended == (progress.step % steps_per_epoch == 0));
    CHECK((progress.accuracy >= 0 && progress.accuracy <= 1));
    CHECK(progress.loss > 0);
    CHECK(progress.images_per_s > 0);
  };
  CHECK(stage.run());
  CHECK(expected_step == epochs * steps_per_epoch);
  CHECK(stage.saved_at == std::vector<std::int64_t>{4, 5, 8, 10, 12, 15});
  CHECK(stage.ended.size() == epochs);
  CHECK(stage.ended.back().loss < stage.ended.front().loss);
  CHECK(stage.state.step == 15);
  CHECK(stage.state.loss_sum == 0);
  CHECK(stage.state.correct == 0);
  CHECK(stage.run());  // nothing is left to do
  CHECK(expected_step == 15);
}

TEST_CASE("an interruption at the last step is none") {
  Stage stage = stage_of(false);
  stage.interrupt_at = epochs * steps_per_epoch;
  CHECK(stage.run());
  CHECK(stage.saved_at == std::vector<std::int64_t>{5, 10, 15});
}

TEST_CASE("a loss that isn't finite stops training, names its cause, and no state takes it") {
  for (const bool quantized : {false, true}) {
    CAPTURE(quantized);
    Stage stage;
    stage.pipeline = training(quantized, 1e30);
    runtime::Tensors before;
    stage.watch = [&](const Progress&) { before = tests::cloned(stage.states); };
    const std::string error = error_of([&] { stage.run(); });
    // Quantizers make numbers of what isn't finite, so that the loss stays one: then the state says so.
    CHECK(error == (quantized ? "step 1 (epoch 1): 'bn.new_var' (batch_norm 'bn') isn't finite: element 0 is inf"
                              : "the loss became nan at step 1 (epoch 1)") +
                       std::string("; the first tensor that isn't finite is 'bn.new_var' (batch_norm 'bn'): element 0 is inf"));
    CHECK(tests::differing(stage.states, before) == "");
  }
}
