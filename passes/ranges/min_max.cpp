#include <limits>

#include "passes/range_estimator.h"

namespace stair::passes::ranges_ {

void min_max(RangeEstimatorRegistry& registry) {
  registry.add({.name = "min_max", .summary = "the extremes ever seen", .simulate = [](const RangeContext& c) {
                  constexpr double infinity = std::numeric_limits<double>::infinity();
                  const ir::Type bound{ir::DType::f32, {1}};
                  const std::vector<ir::ValueId> seen =
                      c.observed("observe_min_max", {c.observer("min", bound, infinity), c.observer("max", bound, -infinity)});
                  return c.affine(seen[0], seen[1]);
                }});
}

}  // namespace stair::passes::ranges_
