#include "passes/learned_step.h"
#include "passes/range_estimator.h"
#include "passes/recipe.h"

namespace stair::passes::ranges_ {

void lsq(RangeEstimatorRegistry& registry) {
  registry.add(
      {.name = "lsq",
       .summary = "none: the size of the steps is trained (N-LSQ; Esser et al. 2020), beginning with the first batch's mean magnitude",
       .simulate = [](const RangeContext& c) {
         const bool is_signed = c.options.boolean("symmetric") || !c.never_negative;
         const ir::Range range = is_signed ? weight_range(c.bits, true) : c.integers();
         const ir::Shape shape = c.graph.type(c.value).shape;
         const ir::ValueId simulated = learned_step(c, false, 1, range, ir::element_count(shape) / shape[0], c.simulated());
         return c.simulates ? simulated : c.value;
       }});
}

}  // namespace stair::passes::ranges_
