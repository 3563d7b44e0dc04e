#include <doctest/doctest.h>

#include "frontend/verification_report.h"
#include "ir/random.h"
#include "ir/text.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"
#include "tests/support/seeds.h"

using namespace stair;

namespace {

// A recipe drawn from the seed.
std::string random_recipe(std::uint64_t seed) {
  std::uint64_t draws = 0;
  const auto pick = [&](std::uint64_t n) { return ir::random_bits(seed, 8, 0, draws++) % n; };
  const char* const requantizations[] = {"float", "fixed_point", "power_of_two"};
  const std::string requantization = requantizations[pick(3)];
  std::string json = R"({"requantization": ")" + requantization + R"(", "bias": )" + (pick(2) == 0 ? R"("int32")" : R"("float32")");
  json += R"(, "weights": {"bits": )" + std::to_string(2 + pick(7)) + R"(, "granularity": )" +
          (pick(2) == 0 ? R"("per_channel")" : R"("per_tensor")") + "}";
  json += R"(, "activations": {"bits": )" + std::to_string(2 + pick(7)) + R"(, "symmetric": )" + (pick(3) == 0 ? "true" : "false") + "}";
  json += R"(, "quantize_output": )" + std::string(pick(2) == 0 ? "true" : "false");
  json += R"(, "estimator": )" + std::string(pick(2) == 0 ? R"("plain")" : R"("clipped")");
  return json + "}";
}

}  // namespace

TEST_CASE("a random network trains a step, exports, and verifies") {
  for (const std::uint64_t seed : tests::seeds(40)) {
    const std::string recipe = random_recipe(seed);
    INFO(tests::replay(seed));
    CAPTURE(recipe);
    const ir::Graph net = seed % 4 == 3 ? tests::random_moving_net(seed, 4) : tests::random_net(seed, 4);
    tests::QuantizedRun run = tests::quantized_run(net, recipe, 2, seed);
    const std::string text = ir::print(run.deployment.graph);
    CHECK(ir::print(ir::parse(text, "artifact")) == text);
    const driver::Verification report = tests::verify_run(run);
    INFO(text);
    INFO(driver::describe(report));
    CHECK(report.mismatches() == 0);
    CHECK(report.off_by_more() == 0);
  }
}
