#include "passes/learned_step.h"
#include "passes/quantizer.h"
#include "passes/recipe.h"

namespace stair::passes::quantizers_ {

void lsq(QuantizerRegistry& registry) {
  registry.add({.name = "lsq",
                .summary = "integers of equal steps whose size is trained (N-LSQ; Esser et al. 2020, Learned Step Size Quantization)",
                .attributes = scaled_weights(),
                .bits = bits_of,
                .simulate = [](const WeightContext& c) {
                  const ir::Shape shape = c.graph.type(c.value).shape;  // a copy: states move the graph's values
                  const std::int64_t steps = c.per_channel() ? shape[0] : 1;
                  return learned_step(c, true, steps, weight_range(c.bits, c.options.boolean("narrow_range")),
                                      ir::element_count(shape) / steps, c.simulated());
                }});
}

}  // namespace stair::passes::quantizers_
