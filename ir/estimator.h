#pragma once

#include <functional>
#include <string>

#include "ir/kinds.h"
#include "ir/op.h"

namespace stair::ir {

/// What stands for the derivative of rounding where gradients pass a quantizer: the derivative of a surrogate. One file in ir/estimators.
struct Estimator {
  std::string name;
  std::string summary;
  /// The gradient by x of the quantizer. `inside` yields the gradient where x lies in the range of the quantizer, and 0 elsewhere.
  std::function<ValueId(GradientContext& g, const std::function<ValueId()>& inside)> gradient;
};

using EstimatorRegistry = Registry<Estimator>;
const EstimatorRegistry& estimators();

/// The attributes of every op that simulates a quantizer, behind its own: the estimator, and what readers' gradient rules multiply by.
std::vector<AttributeSpec> with_estimator(std::vector<AttributeSpec> own, const std::string& fallback = "clipped");
/// The gradient by its x, as its attribute says.
ValueId straight_through(GradientContext& g, const std::function<ValueId()>& inside);

}  // namespace stair::ir
