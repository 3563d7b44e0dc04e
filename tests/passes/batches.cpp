#include <doctest/doctest.h>

#include <string>

#include "ir/rebatch.h"
#include "ir/text.h"
#include "passes/pipelines.h"
#include "tests/support/model_builder.h"
#include "tests/support/seeds.h"

// What pipelines for inference make of a model holds for any batch, whichever it was made at: artifacts hold graphs of batch 1.

using namespace stair;

namespace {

using ir::Graph;

constexpr std::int64_t other_batch = 7;

void check(const passes::Pipeline& pipeline, const std::string& what, const Graph& single, const Graph& many) {
  CAPTURE(what);
  const std::string expected = ir::print(passes::run(pipeline, many));
  const Graph made = passes::run(pipeline, single);
  CHECK(ir::print(ir::with_batch(made, other_batch)) == expected);
  CHECK(ir::print(ir::with_batch(passes::run(pipeline, many), 1)) == ir::print(made));
}

void check_all(const Graph& single, const Graph& many, const std::string& recipe_json) {
  CAPTURE(recipe_json);
  const passes::Recipe recipe = passes::recipe_from_json(recipe_json);
  check(passes::float_evaluation(), "float_evaluation", single, many);
  check(passes::float_deployment(), "float_deployment", single, many);
  check(passes::calibration(recipe), "calibration", single, many);
  check(passes::simulated_evaluation(recipe), "simulated_evaluation", single, many);
  check(passes::quantized_evaluation(recipe), "quantized_evaluation", single, many);
  check(passes::deployment(recipe), "deployment", single, many);
  check(passes::deployment_constants(recipe), "deployment_constants", single, many);
  passes::Pipeline lowered = passes::deployment(recipe);
  for (const passes::Step& step : passes::lowering()) lowered.push_back(step);
  check(lowered, "lowering", single, many);
}

}  // namespace

TEST_CASE("what a pipeline makes of a model at batch 1 is, at batch 7, what it makes at batch 7") {
  const std::string recipes[] = {"\"int8\"", "\"jacob2017\"", "\"classic\"", "\"binaryconnect\"",
                                 R"({"requantization": "power_of_two", "weights": {"granularity": "per_tensor"}})"};
  for (const std::uint64_t seed : tests::seeds(60)) {
    INFO(tests::replay(seed));
    const std::string& recipe = recipes[seed % std::size(recipes)];
    check_all(tests::random_moving_net(seed, 1), tests::random_moving_net(seed, other_batch), recipe);
    if (seed % 3 == 0) check_all(tests::random_net(seed, 1), tests::random_net(seed, other_batch), recipe);
    if (seed % 3 == 1) check_all(tests::random_attention_net(seed, 1), tests::random_attention_net(seed, other_batch), recipe);
  }
}
