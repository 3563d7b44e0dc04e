#include "passes/range_estimator.h"

namespace stair::passes::ranges_ {

void fixed(RangeEstimatorRegistry& registry) {
  registry.add(
      {.name = "fixed",
       .summary = "none: scale and zero point are those that the states hold, as an imported model brings them; nothing changes them",
       .simulate = [](const RangeContext& c) {
         const std::vector<ir::ValueId> states{c.observer("scale", {ir::DType::f32, {1}}), c.observer("zero_point", {ir::DType::i32, {1}})};
         // Where others watch, these stay: what nobody reads would be left out.
         for (const ir::ValueId state : states) {
           if (c.observes && !c.simulates) c.updates.emplace_back(state, state);
         }
         if (!c.simulates) return c.value;
         const ir::Range range = c.integers();
         const ir::Attributes limits{{"lo", std::int64_t{range.lo}}, {"hi", std::int64_t{range.hi}}};
         const std::vector<ir::ValueId> parameters = c.emit("fixed_parameters", states, "fixed", limits);
         return c.simulated_by(parameters[0], parameters[1]);
       }});
}

}  // namespace stair::passes::ranges_
