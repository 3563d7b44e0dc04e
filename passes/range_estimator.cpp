#include "passes/range_estimator.h"

namespace stair::passes {

ir::ValueId RangeContext::state(const char* suffix, const ir::Type& type, double nothing_seen) const {
  ir::State made;
  made.role = ir::StateRole::observer;
  made.initializer = {ir::Initializer::Kind::constant, nothing_seen};
  return graph.add_state(graph.derived(name, suffix), type, made);
}

std::vector<ir::ValueId> RangeContext::emit(const char* op, std::vector<ir::ValueId> operands, const char* suffix,
                                            ir::Attributes attributes) const {
  return graph.add(op, std::move(operands), std::move(attributes), graph.derived(name, suffix)).results;
}

std::vector<ir::ValueId> RangeContext::observed(const char* op, const std::vector<ir::ValueId>& states, ir::Attributes attributes) const {
  if (!observes) return states;
  std::vector<ir::ValueId> operands{value};
  operands.insert(operands.end(), states.begin(), states.end());
  const std::vector<ir::ValueId> seen = emit(op, operands, "observer", std::move(attributes));
  for (std::size_t i = 0; i < states.size(); ++i) updates.emplace_back(states[i], seen[i]);
  return seen;
}

}  // namespace stair::passes
