#include "frontend/verification.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "ir/numerics.h"
#include "ir/op.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"

using namespace stair;
using tests::QuantizedRun;

namespace {

constexpr std::int64_t batch = 4;

QuantizedRun trained(ir::Graph model, const std::string& recipe) { return tests::quantized_run(std::move(model), recipe, 3); }

void check_holds(QuantizedRun& run) {
  const driver::Verification report = tests::verify_run(run);
  CHECK(report.images == 2 * batch - 1);
  CHECK(report.elements() > 0);
  CHECK(report.mismatches() == 0);
  for (const driver::IntegerComparison& c : report.integers) {
    if (c.first) FAIL_CHECK(c.subject, " differs at ", c.first->node, " image ", c.first->image, " index ", c.first->index);
  }
  CHECK(report.simulated_elements() > 0);
  CHECK(report.off_by_more() == 0);
  for (const driver::SimulationComparison& c : report.simulation) {
    if (c.first) FAIL_CHECK(c.node, " is off at image ", c.first->image, ": ", c.first->expected, " found ", c.first->found);
  }
}

// Truncates where N-REQ-FLOAT rounds to even.
class Truncating : public backends::Backend {
 public:
  std::string_view name() const override { return "truncating"; }
  std::string_view summary() const override { return "requantizes by another rounding rule"; }
  backends::Answer supports_op(std::string_view op) const override {
    return op == "requantize" ? backends::Answer::can() : backends::Answer::cannot("only requantize");
  }
  backends::Answer supports(const ir::Graph&, const ir::Node& node) const override { return supports_op(node.op->name); }
  std::unique_ptr<backends::Kernel> prepare(const ir::Graph&, const ir::Node& node) const override { return std::make_unique<Requantize>(node); }

 private:
  class Requantize : public backends::Kernel {
   public:
    explicit Requantize(const ir::Node& node) : hi_(node.attributes.integer("hi")) {}
    std::string_view description() const override { return "truncates"; }
    void run(const backends::Arguments& a) override {
      const ir::TensorView& sum = a.operands[0];
      const ir::TensorView& multiplier = a.operands[1];
      const std::int64_t inner = sum.count() / (sum.dim(0) * sum.dim(1));
      for (std::int64_t i = 0; i < sum.count(); ++i) {
        const std::int64_t c = i / inner % sum.dim(1);
        const std::int32_t bias = a.has(3) ? a.operands[3].as<std::int32_t>()[c] : 0;
        const float t = static_cast<float>(sum.as<std::int32_t>()[i] + bias) * multiplier.as<float>()[multiplier.count() == 1 ? 0 : c];
        const std::int32_t z = *a.operands[2].as<std::int32_t>();
        const float low = a.has(4) ? static_cast<float>(a.operands[4].as<std::int32_t>()[0] - z) : static_cast<float>(-z);
        a.results[0].as<std::uint8_t>()[i] =
            static_cast<std::uint8_t>(z + static_cast<std::int32_t>(ir::clamp_nan_low(t, low, static_cast<float>(hi_ - z))));
      }
    }

   private:
    std::int64_t hi_;
  };
};

}  // namespace

TEST_CASE("deployment computes the bits of training, for every choice of the recipe") {
  for (const std::string requantization : {"float", "fixed_point", "power_of_two"}) {
    for (const std::string bias : {"int32", "float32"}) {
      for (const std::string fold : {"scale", "weight"}) {
        if (requantization == "power_of_two" && fold == "scale") continue;  // the recipe's rules exclude it
        const std::string recipe =
            R"({"requantization": ")" + requantization + R"(", "bias": ")" + bias + R"(", "batch_norm": {"fold": ")" + fold + R"("}})";
        CAPTURE(recipe);
        QuantizedRun lenet = trained(tests::small_lenet(batch), recipe);
        check_holds(lenet);
        QuantizedRun mixed = trained(tests::small_mixed_net(batch), recipe);
        check_holds(mixed);
      }
    }
  }
}

TEST_CASE("low bits, symmetric activations, quantized outputs, overrides, the recipes of the literature") {
  for (const char* recipe :
       {R"({"weights": {"bits": 2}, "activations": {"bits": 2}})", R"({"weights": {"bits": 4}, "activations": {"bits": 3, "symmetric": true}})",
        R"({"quantize_output": true})", R"("classic")", R"({"base": "jacob2017", "schedule": {"activation_delay_steps": 0}})",
        R"({"overrides": [{"pattern": "conv", "weight_bits": 8, "activation_bits": 8}, {"pattern": "fc*", "weight_bits": 3}]})"}) {
    CAPTURE(recipe);
    QuantizedRun run = trained(tests::small_mixed_net(batch), recipe);
    check_holds(run);
  }
}

TEST_CASE("verify says what it can't compare exactly") {
  QuantizedRun skipped = trained(tests::small_lenet(batch), R"({"overrides": [{"pattern": "conv_2", "skip": true}]})");
  const driver::Verification report = tests::verify_run(skipped);
  CHECK(report.mismatches() == 0);
  CHECK(!report.behind_floats.empty());
  QuantizedRun binary = trained(tests::small_lenet(batch), R"("binaryconnect")");
  const driver::Verification weights = tests::verify_run(binary);
  CHECK(weights.mismatches() == 0);
  CHECK(weights.elements() > 0);
  CHECK(weights.largest_float_difference <= weights.allowed_float_difference);
}

TEST_CASE("a changed weight is found in the constants and at the node that reads it") {
  QuantizedRun run = trained(tests::small_lenet(batch), "\"int8\"");
  for (const ir::State& state : run.deployment.graph.states()) {
    if (!state.attributes.has("bits")) continue;
    run.deployment.constants.find(run.deployment.graph.value(state.value).name)->second.as<std::int8_t>()[12] ^= 1;
    break;
  }
  const driver::Verification report = tests::verify_run(run);
  CHECK(!report.holds());
  REQUIRE(report.integers[0].first);
  CHECK(report.integers[0].mismatches == 1);
  CHECK(report.integers[0].first->node.starts_with("conv.weight"));
  CHECK(report.integers[0].first->index == 12);
  CHECK(std::abs(report.integers[0].first->expected - report.integers[0].first->found) == 1);
  REQUIRE(report.integers[1].first);
  CHECK(report.integers[1].first->node == "conv.sum");
  CHECK(report.integers[1].first->image == 0);
}

TEST_CASE("a changed zero point is found") {
  QuantizedRun run = trained(tests::small_lenet(batch), "\"int8\"");
  const ir::Node* quantize = nullptr;
  for (const ir::Node& node : run.deployment.graph.nodes()) {
    if (node.op->name == "quantize") quantize = &node;
  }
  REQUIRE(quantize != nullptr);
  *run.deployment.constants.find(run.deployment.graph.value(quantize->operands[2]).name)->second.as<std::int32_t>() += 1;
  const driver::Verification report = tests::verify_run(run);
  CHECK(report.integers[0].mismatches == 1);
  REQUIRE(report.integers[1].first);
  CHECK(report.integers[1].first->node == quantize->name);
}

TEST_CASE("another rounding rule is found") {
  const Truncating wrong;
  QuantizedRun run = trained(tests::small_lenet(batch), "\"int8\"");
  driver::VerifyOptions options;
  options.backends = {&wrong};
  options.threads = {1};
  const driver::Verification report = tests::verify_run(run, options);
  CHECK(!report.holds());
  REQUIRE(report.integers[1].first);
  CHECK(report.integers[1].first->op == "requantize");
  CHECK(report.integers[1].first->expected == report.integers[1].first->found + 1);
}

TEST_CASE("uncalibrated quantizers are refused") {
  const ir::Graph model = tests::small_lenet(batch);
  const passes::Recipe recipe;
  runtime::Tensors states;
  const runtime::Executor executor = driver::compile(model, passes::quantized_evaluation(recipe), batch, states, {});
  CHECK_THROWS_WITH_AS(driver::deploy(model, recipe, states),
                       "the quantizer of 'x' has seen no data, expected a checkpoint of a calibrate or qat stage with this recipe", Error);
}
