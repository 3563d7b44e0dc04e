#include "passes/range_estimator.h"

#include <utility>

#include "passes/recipe.h"

namespace stair::passes {

ir::Range RangeContext::integers() const {
  return recipe.activation_range(bits);
}

ir::ValueId RangeContext::observer(const char* suffix, const ir::Type& type, double nothing_seen) const {
  ir::State made;
  made.role = ir::StateRole::observer;
  made.initializer = {ir::Initializer::Kind::constant, nothing_seen};
  return graph.add_state(graph.derived(name, suffix), type, made);
}

std::vector<ir::ValueId> RangeContext::observed(const char* op, const std::vector<ir::ValueId>& observers,
                                                ir::Attributes attributes) const {
  if (!observes) return observers;
  std::vector<ir::ValueId> operands{value};
  operands.insert(operands.end(), observers.begin(), observers.end());
  const std::vector<ir::ValueId> seen = emit(op, operands, "observer", std::move(attributes));
  for (std::size_t i = 0; i < observers.size(); ++i) updates.emplace_back(observers[i], seen[i]);
  return seen;
}

ir::ValueId RangeContext::affine(ir::ValueId low, ir::ValueId high) const {
  if (!simulates) return value;
  const ir::Range range = integers();
  ir::Attributes parameters{{"lo", std::int64_t{range.lo}}, {"hi", std::int64_t{range.hi}}};
  parameters.set("symmetric", options.at("symmetric"));
  parameters.set("power_of_two", recipe.powers_of_two());
  const std::vector<ir::ValueId> scale = emit("affine_parameters", {low, high}, "scale", parameters);
  return simulated_by(scale[0], scale[1]);
}

ir::ValueId RangeContext::simulated_by(ir::ValueId scale, ir::ValueId zero_point) const {
  if (!simulates) return value;
  const ir::Range range = integers();
  ir::Attributes attributes = simulated();
  attributes.set("lo", std::int64_t{range.lo});
  attributes.set("hi", std::int64_t{range.hi});
  return emit("fake_quantize", {value, scale, zero_point}, "fq", attributes).front();
}

ir::Attributes RangeContext::simulated() const {
  return {{"estimator", recipe.keys().at("estimator")}};
}

}  // namespace stair::passes
