// What ranges become over batches (docs/recipes.md, activations.momentum).

#include <doctest/doctest.h>

#include <map>

#include "frontend/compile.h"
#include "frontend/stages/calibration.h"
#include "runtime/checkpoint.h"
#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"
#include "tests/support/model_builder.h"

using namespace stair;

namespace {

// The calibration of a model whose input is watched, fed batch by batch.
struct Watching {
  passes::Recipe recipe;
  runtime::Tensors states;
  runtime::Executor executor;

  explicit Watching(const std::string& json, runtime::Tensors from = {})
      : recipe(passes::recipe_from_json(json)),
        states(std::move(from)),
        executor(frontend::compile(tests::small_lenet(2), passes::calibration(recipe), 2, states, {})) {}

  // A batch whose pixels are all 0 but for one.
  void see(float value) {
    runtime::Tensor images({ir::DType::f32, {2, 1, 12, 12}});
    images.as<float>()[77] = value;
    const ir::TensorView inputs[] = {images.view()};
    stages::observe(executor, inputs, 0);
  }
  float high() const { return *states.find("x.max")->second.as<float>(); }
};

}  // namespace

TEST_CASE("a moving average begins as a mean: of 32 batches with momentum 0.01 the first has a share of 1/32") {
  Watching watching(R"({"activations": {"momentum": 0.01}})");
  watching.see(32);
  CHECK(watching.high() == 32);
  for (int n = 2; n <= 32; ++n) watching.see(0);
  CHECK(watching.high() == doctest::Approx(1).epsilon(1e-6));
  for (int n = 33; n <= 100; ++n) watching.see(0);
  CHECK(watching.high() == doctest::Approx(0.32).epsilon(1e-6));
  watching.see(0);  // from here on exponential
  CHECK(watching.high() == doctest::Approx(0.32 * 0.99).epsilon(1e-6));
  watching.see(0);
  CHECK(watching.high() == doctest::Approx(0.32 * 0.99 * 0.99).epsilon(1e-6));
}

TEST_CASE("blank first frames weigh as much as any others") {
  for (const bool blank_first : {true, false}) {
    Watching watching(R"("int8")");
    for (int n = 0; n < 32; ++n) watching.see((n < 16) == blank_first ? 0.0F : 1.0F);
    CHECK(watching.high() == doctest::Approx(0.5).epsilon(1e-6));
  }
}

TEST_CASE("ranges without a count have seen 1 / momentum batches") {
  Watching watching(R"({"activations": {"momentum": 0.25}})");
  watching.see(8);
  watching.states.find("x.max")->second.as<float>()[0] = 8;
  *watching.states.find("x.count")->second.as<std::int64_t>() = 0;
  watching.see(0);
  CHECK(watching.high() == 6);
  watching.see(0);
  CHECK(watching.high() == 4.5F);
}

TEST_CASE("a moving average of momentum 1 is the newest batch") {
  Watching watching(R"({"activations": {"momentum": 1}})");
  for (const float value : {3.0F, 1.0F, 2.0F}) {
    watching.see(value);
    CHECK(watching.high() == value);
  }
}

TEST_CASE("training counts batches in its checkpoints, and calibrating begins anew, in a stage as on the command line") {
  const tests::TemporaryFolder folder;
  tests::write_experiment(folder);
  ir::Json experiment = tests::small_experiment();
  experiment["stages"] = ir::Json::parse(R"([
      {"kind": "qat", "epochs": 1, "optimizer": {"learning_rate": 0.01}},
      {"kind": "calibrate", "name": "ptq", "batches": 3},
      {"kind": "qat", "name": "again", "epochs": 1, "optimizer": {"learning_rate": 0.01}}])");
  folder.write("exp.json", experiment.dump());
  REQUIRE(tests::run_stair({"train", "exp.json", "--run", "run", "--quiet"}, folder.path()).code == 0);
  REQUIRE(tests::run_stair({"calibrate", "run", "-o", "c.safetensors", "--batches", "5"}, folder.path()).code == 0);
  const auto count = [&](const std::string& file) {
    const runtime::Checkpoint checkpoint = runtime::load_checkpoint(folder / file);
    return *checkpoint.states.find("x.count")->second.as<std::int64_t>();
  };
  CHECK(count("run/qat.safetensors") == 12);
  CHECK(count("run/ptq.safetensors") == 3);
  CHECK(count("run/again.safetensors") == 15);
  CHECK(count("c.safetensors") == 5);
}

TEST_CASE("a checkpoint without counts goes on with momentum alone") {
  const tests::TemporaryFolder folder;
  tests::write_experiment(folder);
  REQUIRE(tests::run_stair({"train", "exp.json", "--run", "run", "--quiet"}, folder.path()).code == 0);
  runtime::Checkpoint old = runtime::load_checkpoint(folder / "run/last.safetensors");
  std::erase_if(old.states, [](const auto& state) { return state.first.ends_with(".count"); });
  old.step = 20;  // of 24
  runtime::save_checkpoint(old, folder / "run/last.safetensors");
  REQUIRE(tests::run_stair({"train", "exp.json", "--run", "run", "--quiet", "--resume"}, folder.path()).code == 0);
  const runtime::Checkpoint gone_on = runtime::load_checkpoint(folder / "run/last.safetensors");
  CHECK(*gone_on.states.find("x.count")->second.as<std::int64_t>() == 100);
  CHECK(*gone_on.states.find("x.max")->second.as<float>() != *old.states.find("x.max")->second.as<float>());
}
