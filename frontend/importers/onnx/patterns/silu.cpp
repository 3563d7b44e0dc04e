#include "frontend/importers/onnx/pattern.h"

namespace stair::frontend::onnx::patterns_ {
namespace {

bool fold_silu(Layers& layers, Layer& layer) {
  if (layer.op != "mul") return false;
  const Factors factors = factors_of(layers, layer);
  for (const std::string& x : factors.values) {
    const Layer* gate = layers.find(other_factor(factors, 1, x));
    if (gate == nullptr || gate->op != "sigmoid" || gate->inputs.front() != x) continue;
    become(layers, layer, "silu", x);
    return true;
  }
  return false;
}

}  // namespace

void silu(PatternRegistry& registry) {
  registry.add({"silu", "`x · sigmoid(x)`", fold_silu});
}

}  // namespace stair::frontend::onnx::patterns_
