#include "frontend/importers/onnx/pattern.h"

namespace stair::frontend::onnx::patterns_ {
namespace {

bool fold_mish(Layers& layers, Layer& layer) {
  if (layer.op != "mul") return false;
  const Factors factors = factors_of(layers, layer);
  for (const std::string& x : factors.values) {
    const Layer* gate = layers.find(other_factor(factors, 1, x));
    if (gate == nullptr || gate->op != "tanh") continue;
    const Layer* curve = layers.find(gate->inputs.front());
    if (curve == nullptr || curve->op != "softplus" || curve->inputs.front() != x) continue;
    become(layers, layer, "mish", x);
    return true;
  }
  return false;
}

bool fold_softplus(Layers& layers, Layer& layer) {
  if (layer.op != "log") return false;
  const Layer* power = layers.find(added_to(layers, layer.inputs.front(), 1));
  if (power == nullptr || power->op != "exp") return false;
  become(layers, layer, "softplus", std::string(power->inputs.front()));
  return true;
}

}  // namespace

void mish(PatternRegistry& registry) {
  registry.add({"mish", "`x · tanh(softplus(x))`", fold_mish});
  registry.add({"softplus", "`log(exp(x) + 1)`", fold_softplus});
}

}  // namespace stair::frontend::onnx::patterns_
