#include "ir/estimator.h"

namespace stair::ir {

std::vector<AttributeSpec> with_estimator(std::vector<AttributeSpec> own, const std::string& fallback) {
  AttributeSpec estimator =
      choice("estimator", "the straight-through estimator: what stands for the derivative of rounding", estimators().names());
  estimator.fallback = fallback;
  own.push_back(std::move(estimator));
  own.push_back(
      choice("backward", "what gradient rules of readers multiply by: the quantized value, or the latent one", {"quantized", "latent"}));
  return own;
}

ValueId straight_through(GradientContext& g, const std::function<ValueId()>& inside) {
  return estimators().named(g.attributes().text("estimator"), "estimator").gradient(g, inside);
}

}  // namespace stair::ir
