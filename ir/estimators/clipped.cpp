#include "ir/estimator.h"

namespace stair::ir::estimators_ {

void clipped(EstimatorRegistry& registry) {
  registry.add({.name = "clipped",
                .summary = "the derivative of the clamp to the range (Jacob 2017, section 3; N-STE)",
                .gradient = [](GradientContext&, const auto& inside) { return inside(); }});
}

}  // namespace stair::ir::estimators_
