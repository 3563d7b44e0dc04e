#include "passes/quantizer.h"

#include "passes/recipe.h"

namespace stair::passes {

ir::ValueId QuantizerContext::state(const char* suffix, const ir::Type& type, ir::State state) const {
  return graph.add_state(graph.unique_name(graph.derived(name, suffix)), type, std::move(state));
}

void QuantizerContext::first_value(ir::ValueId state, const std::function<ir::ValueId()>& make) const {
  if (first_values) updates.emplace_back(state, make());
}

std::vector<ir::ValueId> QuantizerContext::emit(const char* op, std::vector<ir::ValueId> operands, const char* suffix,
                                                ir::Attributes attributes) const {
  return graph.add(op, std::move(operands), std::move(attributes), graph.derived(graph.value(value).name, suffix)).results;
}

bool WeightContext::per_channel() const {
  return channels_first && options.text("granularity") == "per_channel";
}

ir::Attributes WeightContext::simulated(ir::Attributes others) const {
  others.set("estimator", recipe.keys().at("estimator"));
  others.set("backward", recipe.keys().at("backward"));
  return others;
}

std::vector<ir::AttributeSpec> scaled_weights() {
  return {{.name = "bits", .doc = "of each weight", .fallback = std::int64_t{8}, .bounds = ir::within(2, 8)},
          {.name = "granularity",
           .doc = "one scale an output channel, or one for the tensor",
           .fallback = std::string("per_channel"),
           .choices = {"per_channel", "per_tensor"}},
          {.name = "narrow_range", .doc = "[-127, 127] instead of [-128, 127], likewise for other widths", .fallback = true}};
}

}  // namespace stair::passes
