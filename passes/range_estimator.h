#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/kinds.h"
#include "ir/numerics.h"
#include "passes/quantizer.h"

namespace stair::passes {

/// Of one activation.
struct RangeContext : QuantizerContext {
  int bits;
  bool never_negative;  ///< the value is what an activation function yields that clamps at 0
  bool observes;        ///< else ranges stay as they are
  bool simulates;       ///< else observers watch, and nothing is quantized

  /// What the value becomes where zero points are free (N-PARAM).
  ir::Range integers() const;
  /// A state NAME.SUFFIX of the role observer, every element `nothing_seen` at first: whoever forgets what was seen gives it that value.
  ir::ValueId observer(const char* suffix, const ir::Type& type, double nothing_seen = 0) const;
  /// The observers take the results of `op` over the value and them, in order, which are yielded; where nothing is observed, the observers.
  std::vector<ir::ValueId> observed(const char* op, const std::vector<ir::ValueId>& observers, ir::Attributes attributes = {}) const;
  /// Simulates integers whose scale and zero point follow from a range (N-PARAM), f32[1] each; the least value is above the largest where
  /// nothing has been seen.
  ir::ValueId affine(ir::ValueId low, ir::ValueId high) const;
  /// Simulates integers of that scale, f32[1], and zero point, i32[1].
  ir::ValueId simulated_by(ir::ValueId scale, ir::ValueId zero_point) const;
  /// The attributes of an op that simulates integers.
  ir::Attributes simulated() const;
};

/// What the scale of an activation follows from, observers or a trained state: one file in passes/ranges.
struct RangeEstimator {
  std::string name;
  std::string summary;
  std::vector<ir::AttributeSpec> attributes = {};
  /// What is read in place of the value: floats that stand for integers (OpSchema::integer, quantizer).
  std::function<ir::ValueId(const RangeContext&)> simulate;
};

using RangeEstimatorRegistry = ir::Registry<RangeEstimator>;
const RangeEstimatorRegistry& range_estimators();

}  // namespace stair::passes
