#include <cmath>

#include "passes/quantizer.h"
#include "passes/recipe.h"

namespace stair::passes::quantizers_ {
namespace {

// The step is a state that is trained with the weights: its gradient is equation 3 of Esser 2020, times 1 / sqrt(n * hi) of section 2.2 for
// the n weights that share it.
ir::ValueId simulate_learned(const WeightContext& c) {
  const ir::Range range = weight_range(c.bits, c.options.boolean("narrow_range"));
  const ir::Shape shape = c.graph.type(c.weight).shape;  // a copy: states move the graph's values
  const std::int64_t steps = c.per_channel() ? shape[0] : 1;
  ir::State state;
  state.initializer = {ir::Initializer::Kind::constant, 1};
  state.attributes.set("decay", false);
  const ir::ValueId step = c.state("step", {ir::DType::f32, {steps}}, state);
  c.first_value(step, [&] {
    return c.emit("first_step", {c.weight}, "first_step", {{"hi", std::int64_t{range.hi}}, {"per_channel", c.per_channel()}}).front();
  });
  const ir::ValueId scale = c.emit("learned_scale", {step}, "scale", {{"power_of_two", c.recipe.powers_of_two()}}).front();
  const ir::ValueId zero = c.emit("constant", {}, "zero_point", {{"dtype", std::string("i32")}}).front();
  const auto sharing = static_cast<double>(ir::element_count(shape) / steps);
  return c
      .emit("fake_quantize_learned", {c.weight, scale, zero}, "fq",
            c.simulated({{"lo", std::int64_t{range.lo}},
                         {"hi", std::int64_t{range.hi}},
                         {"scale_gradient", 1 / std::sqrt(sharing * static_cast<double>(range.hi))}}))
      .front();
}

}  // namespace

void lsq(QuantizerRegistry& registry) {
  registry.add({.name = "lsq",
                .summary = "integers of equal steps whose size is trained (N-LSQ; Esser et al. 2020, Learned Step Size Quantization)",
                .attributes = scaled_weights(),
                .bits = bits_of,
                .simulate = simulate_learned});
}

}  // namespace stair::passes::quantizers_
