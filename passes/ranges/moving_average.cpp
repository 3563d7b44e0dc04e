#include <limits>

#include "passes/range_estimator.h"

namespace stair::passes::ranges_ {

void moving_average(RangeEstimatorRegistry& registry) {
  registry.add({.name = "moving_average",
                .summary = "moving averages of each batch's minimum and maximum",
                .attributes = {{.name = "momentum",
                                .doc = "share of a new batch; batch n has the share max(momentum, 1 / n)",
                                .fallback = 0.01,
                                .bounds = {.low = 0, .high = 1, .above_low = true}}},
                .simulate = [](const RangeContext& c) {
                  constexpr double infinity = std::numeric_limits<double>::infinity();
                  const ir::Type bound{ir::DType::f32, {1}};
                  std::vector<ir::ValueId> states{c.observer("min", bound, infinity), c.observer("max", bound, -infinity)};
                  if (c.observes) states.push_back(c.observer("count", {ir::DType::i64, {1}}));
                  const std::vector<ir::ValueId> seen = c.observed("observe_average", states, {{"momentum", c.options.at("momentum")}});
                  return c.affine(seen[0], seen[1]);
                }});
}

}  // namespace stair::passes::ranges_
