#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/graph.h"
#include "ir/kinds.h"
#include "ir/numerics.h"

namespace stair::passes {

/// What a range estimator works with for one value: it appends nodes and states to a graph.
struct RangeContext {
  ir::Graph& graph;
  const ir::Attributes& options;  ///< the recipe's "activations", complete
  ir::ValueId value;              ///< floats
  std::string name;               ///< of the value: states and nodes are named after it
  ir::Range integers;             ///< what the value becomes
  bool observes;                  ///< else ranges stay as they are
  std::vector<std::pair<ir::ValueId, ir::ValueId>>& updates;

  /// A state NAME.SUFFIX of the role observer, every element `nothing_seen` at first: whoever forgets what was seen gives it that value.
  ir::ValueId state(const char* suffix, const ir::Type& type, double nothing_seen = 0) const;
  /// The results of a node NAME.SUFFIX.
  std::vector<ir::ValueId> emit(const char* op, std::vector<ir::ValueId> operands, const char* suffix,
                                ir::Attributes attributes = {}) const;
  /// The states take the results of `op` over the value and the states, in order, which are yielded; where nothing is observed, the states.
  std::vector<ir::ValueId> observed(const char* op, const std::vector<ir::ValueId>& states, ir::Attributes attributes = {}) const;
};

/// How the range of an activation follows from what passes: one file in passes/ranges.
struct RangeEstimator {
  std::string name;
  std::string summary;
  std::vector<ir::AttributeSpec> attributes = {};
  /// The least and the largest value of the range, f32[1] each; the least above the largest where nothing has been seen.
  std::function<std::pair<ir::ValueId, ir::ValueId>(const RangeContext&)> range;
};

using RangeEstimatorRegistry = ir::Registry<RangeEstimator>;
const RangeEstimatorRegistry& range_estimators();

}  // namespace stair::passes
