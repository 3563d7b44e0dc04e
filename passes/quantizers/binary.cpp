#include "passes/quantizer.h"

namespace stair::passes::quantizers_ {
namespace {

ir::ValueId simulate_binary(const WeightContext& c) {
  if (!c.trains && !c.options.boolean("binary_inference")) return c.value;
  ir::Attributes options = c.simulated();
  ir::ValueId draws = ir::absent;
  if (c.options.boolean("stochastic") && c.trains) {
    ir::State counter;
    counter.role = ir::StateRole::counter;
    draws = c.state("draws", {ir::DType::i64, {1}}, counter);
    c.updates.emplace_back(draws, c.emit("increment", {draws}, "next_draws").front());
    options.set("stochastic", true);
    options.set("stream", static_cast<std::int64_t>(c.graph.states().size()));
  }
  return c.emit("fake_binarize", {c.value, draws}, "fq", std::move(options)).front();
}

}  // namespace

void binary(QuantizerRegistry& registry) {
  registry.add({.name = "binary",
                .summary = "+1 and -1 (Courbariaux, Bengio, David 2015)",
                .attributes = {{.name = "stochastic",
                                .doc = "+1 with probability clamp((w + 1) / 2, 0, 1) instead of by sign, drawn anew each step (equation 2)",
                                .fallback = false},
                               {.name = "binary_inference",
                                .doc = "evaluate and deploy with +1 and -1; false: with the latent weights (section 2.6)",
                                .fallback = true}},
                .float_activations = true,
                .bits = [](const ir::Attributes&) { return 1; },
                .simulate = simulate_binary});
}

}  // namespace stair::passes::quantizers_
