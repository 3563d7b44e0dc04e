#include "ir/estimator.h"

namespace stair::ir {

AttributeSpec estimator_attribute(const std::string& fallback) {
  return {.name = "estimator",
          .doc = "the straight-through estimator: 'clipped' (gradient 0 outside the range), 'plain' (identity)",
          .fallback = fallback,
          .choices = estimators().names()};
}

ValueId straight_through(GradientContext& g, const std::function<ValueId()>& inside) {
  return estimators().named(g.attributes().text("estimator"), "estimator").gradient(g, inside);
}

}  // namespace stair::ir
