#include "ir/histogram.h"
#include "passes/range_estimator.h"

namespace stair::passes::ranges_ {

void percentile(RangeEstimatorRegistry& registry) {
  registry.add(
      {.name = "percentile",
       .summary = "of all that was seen, without the outermost elements",
       .attributes = {{.name = "percentile",
                       .doc = "in a hundred elements, so many lie below the range's end, and above its begin",
                       .fallback = 99.99,
                       .bounds = {.low = 50, .high = 100, .above_low = true}}},
       .simulate = [](const RangeContext& c) {
         const std::vector<ir::ValueId> seen =
             c.observed("observe_histogram", {c.observer("histogram", {ir::DType::f32, {ir::histogram::bins}})});
         const std::vector<ir::ValueId> range = c.emit("percentile_range", seen, "range", {{"percentile", c.options.at("percentile")}});
         return c.affine(range[0], range[1]);
       }});
}

}  // namespace stair::passes::ranges_
