#include "ir/estimator.h"

namespace stair::ir::estimators_ {

void plain(EstimatorRegistry& registry) {
  registry.add({.name = "plain",
                .summary = "the derivative of the identity (Hinton 2012, Courbariaux 2015)",
                .gradient = [](GradientContext& g, const auto&) { return g.gradient(); }});
}

}  // namespace stair::ir::estimators_
