#include <doctest/doctest.h>

#include "frontend/verification/verification_report.h"
#include "ir/text.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"
#include "tests/support/random_recipe.h"
#include "tests/support/seeds.h"

using namespace stair;

TEST_CASE("a random network of attention and normalizations trains a step, exports, and verifies") {
  std::size_t integers = 0;
  for (const std::uint64_t seed : tests::seeds(30)) {
    const std::string recipe = tests::random_recipe(seed);
    INFO(tests::replay(seed));
    CAPTURE(recipe);
    tests::QuantizedRun run = tests::quantized_run(tests::random_attention_net(seed, 4), recipe, 2, seed);
    const std::string text = ir::print(run.deployment.graph);
    for (const char* op : {"softmax_integer", "layer_norm_integer", "group_norm_integer"})
      integers += text.find(op) == std::string::npos ? 0 : 1;
    CHECK(ir::print(ir::parse(text, "artifact")) == text);
    const verification::Verification report = tests::verify_run(run);
    INFO(text);
    INFO(verification::describe(report));
    CHECK(report.holds());
  }
  if (tests::seeds(30).size() == 30) CHECK(integers > 20);
}

TEST_CASE("a random network of shared weights, constants, several inputs and outputs trains a step, exports, and verifies") {
  for (const std::uint64_t seed : tests::seeds(24)) {
    const std::string recipe = tests::random_recipe(seed);
    INFO(tests::replay(seed));
    CAPTURE(recipe);
    tests::QuantizedRun run = tests::quantized_run(tests::random_shared_net(seed, 4), recipe, 2, seed);
    const std::string text = ir::print(run.deployment.graph);
    CHECK(ir::print(ir::parse(text, "artifact")) == text);
    const verification::Verification report = tests::verify_run(run);
    INFO(text);
    INFO(verification::describe(report));
    CHECK(report.holds());
  }
}

TEST_CASE("a random network trains a step, exports, and verifies") {
  for (const std::uint64_t seed : tests::seeds(40)) {
    const std::string recipe = tests::random_recipe(seed);
    INFO(tests::replay(seed));
    CAPTURE(recipe);
    const ir::Graph net = seed % 4 == 3 ? tests::random_moving_net(seed, 4) : tests::random_net(seed, 4);
    tests::QuantizedRun run = tests::quantized_run(net, recipe, 2, seed);
    const std::string text = ir::print(run.deployment.graph);
    CHECK(ir::print(ir::parse(text, "artifact")) == text);
    const verification::Verification report = tests::verify_run(run);
    INFO(text);
    INFO(verification::describe(report));
    CHECK(report.holds());
  }
}
