#include "frontend/importers/onnx/pattern.h"

namespace stair::frontend::onnx::patterns_ {
namespace {

// What min(max(x + 3, 0), 6) is computed of; "" for other values.
std::string below_gate(const Layers& layers, const std::string& name) {
  const Layer* gate = layers.find(name);
  return gate != nullptr && gate->op == "relu6" ? added_to(layers, gate->inputs.front(), 3) : "";
}

bool fold_hard_swish(Layers& layers, Layer& layer) {
  if (layer.op != "mul" && layer.op != "div") return false;
  const Factors factors = factors_of(layers, layer);
  for (const std::string& x : factors.values) {
    const Layer* gate = layers.find(other_factor(factors, 1, x));
    const bool of_gate = gate != nullptr && gate->op == "hard_sigmoid" && gate->inputs.front() == x;
    const std::string other = other_factor(factors, 1.0 / 6, x);
    if (!of_gate && (other.empty() || below_gate(layers, other) != x)) continue;
    become(layers, layer, "hard_swish", x);
    return true;
  }
  return false;
}

}  // namespace

void hard_swish(PatternRegistry& registry) {
  registry.add({"hard_swish", "`x · hard_sigmoid(x)`, `x · relu6(x + 3) / 6`", fold_hard_swish});
}

}  // namespace stair::frontend::onnx::patterns_
