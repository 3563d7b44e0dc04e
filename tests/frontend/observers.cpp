// What ranges become over batches (docs/recipes.md, activations.momentum).

#include <doctest/doctest.h>

#include <limits>

#include "frontend/compile.h"
#include "frontend/evaluation.h"
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
        executor(driver::compile(tests::small_lenet(2), passes::calibration(recipe), 2, states, {})) {}

  // A batch whose pixels are all 0 but for one.
  void see(float value) {
    runtime::Tensor images({ir::DType::f32, {2, 1, 12, 12}});
    images.as<float>()[77] = value;
    const ir::TensorView inputs[] = {images.view()};
    driver::observe(executor, inputs, 0);
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
