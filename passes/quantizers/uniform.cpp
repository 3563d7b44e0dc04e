#include "passes/quantizer.h"
#include "passes/recipe.h"

namespace stair::passes::quantizers_ {

void uniform(QuantizerRegistry& registry) {
  registry.add({.name = "uniform",
                .summary = "integers of equal steps, symmetric, up to the largest weight (N-PARAM)",
                .attributes = scaled_weights(),
                .bits = bits_of,
                .simulate = [](const WeightContext& c) {
                  const ir::Range range = weight_range(c.bits, c.options.boolean("narrow_range"));
                  const ir::Attributes integers{{"lo", std::int64_t{range.lo}}, {"hi", std::int64_t{range.hi}}};
                  const std::vector<ir::ValueId> seen = c.emit("weight_range", {c.value}, "range", {{"per_channel", c.per_channel()}});
                  ir::Attributes symmetric = integers;
                  symmetric.set("symmetric", true);
                  symmetric.set("power_of_two", c.recipe.powers_of_two());
                  const std::vector<ir::ValueId> parameters = c.emit("affine_parameters", seen, "scale", symmetric);
                  return c.emit("fake_quantize", {c.value, parameters[0], parameters[1]}, "fq", c.simulated(integers)).front();
                }});
}

}  // namespace stair::passes::quantizers_
