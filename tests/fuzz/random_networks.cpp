#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "ir/random.h"
#include "ir/text.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"

using namespace stair;

namespace {

std::string random_recipe(std::uint64_t seed) {
  std::uint64_t draws = 0;
  const auto pick = [&](std::uint64_t n) { return ir::random_bits(seed, 8, 0, draws++) % n; };
  const auto one = [&](const char* a, const char* b) { return std::string("\"") + (pick(2) == 0 ? a : b) + "\""; };
  const char* const requantization[] = {"float", "fixed_point", "power_of_two"};
  const std::uint64_t kind = pick(3);
  const bool weight_fold = kind == 2 || pick(2) == 0;
  return std::string(R"({"requantization": ")") + requantization[kind] + R"(", "batch_norm": {"fold": ")" + (weight_fold ? "weight" : "scale") +
         R"("}, "bias": )" + one("int32", "float32") + R"(, "weights": {"bits": )" + std::to_string(2 + pick(7)) + R"(, "granularity": )" +
         (weight_fold ? one("per_tensor", "per_channel") : "\"per_channel\"") + R"(}, "activations": {"bits": )" + std::to_string(2 + pick(7)) +
         R"(, "symmetric": )" + (pick(3) == 0 ? "true" : "false") + R"(, "observer": )" + one("min_max", "moving_average") +
         R"(}, "backward": )" + one("latent", "quantized") + R"(, "estimator": )" + one("plain", "clipped") + R"(, "quantize_output": )" +
         (pick(3) == 0 ? "true" : "false") + "}";
}

void check_network(std::uint64_t seed) {
  const std::string recipe = random_recipe(seed);
  INFO("replay with STAIR_FUZZ_SEED=", seed, "; recipe ", recipe);
  tests::QuantizedRun run = tests::quantized_run(tests::random_net(seed, 3), recipe, 2, seed);
  const std::string deployed = ir::print(run.deployment.graph);
  CHECK(ir::print(ir::parse(deployed, "deployment graph")) == deployed);
  const driver::Verification report = tests::verify_run(run);
  CHECK(report.elements() > 0);
  CHECK(report.mismatches() == 0);
  for (const driver::IntegerComparison& c : report.integers) {
    if (c.first) FAIL_CHECK(c.subject, " differs at ", c.first->node, " (", c.first->op, ")");
  }
  CHECK(report.off_by_more() == 0);
  for (const driver::SimulationComparison& c : report.simulation) {
    if (c.first) FAIL_CHECK(c.node, " is off: ", c.first->expected, " found ", c.first->found);
  }
}

}  // namespace

TEST_CASE("a random network trains, exports and verifies") {
  if (const char* seed = std::getenv("STAIR_FUZZ_SEED")) return check_network(std::strtoull(seed, nullptr, 10));
  for (std::uint64_t seed = 0; seed < 60; ++seed) check_network(seed);
}
