#include "passes/learned_step.h"

#include <cmath>
#include <string>
#include <utility>

#include "passes/recipe.h"

namespace stair::passes {

ir::ValueId learned_step(const QuantizerContext& c, bool of_weights, std::int64_t steps, ir::Range range, std::int64_t sharing,
                         ir::Attributes attributes) {
  ir::State state;
  state.initializer = {ir::Initializer::Kind::constant, 1};
  state.attributes.set("decay", false);
  if (of_weights) state.attributes.set("follows", c.name);
  const ir::ValueId step = c.state("step", {ir::DType::f32, {steps}}, state);
  c.first_value(step, [&] {
    return c.emit("first_step", {c.value}, "first_step", {{"hi", std::int64_t{range.hi}}, {"per_channel", steps > 1}}).front();
  });
  const ir::ValueId scale = c.emit("learned_scale", {step}, "scale", {{"power_of_two", c.recipe.powers_of_two()}}).front();
  const ir::ValueId zero = c.emit("constant", {}, "zero_point", {{"dtype", std::string("i32")}}).front();
  attributes.set("lo", std::int64_t{range.lo});
  attributes.set("hi", std::int64_t{range.hi});
  attributes.set("scale_gradient", 1 / std::sqrt(static_cast<double>(sharing) * static_cast<double>(range.hi)));
  return c.emit("fake_quantize_learned", {c.value, scale, zero}, "fq", std::move(attributes)).front();
}

}  // namespace stair::passes
