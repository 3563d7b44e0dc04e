#include <cmath>

#include "frontend/importers/onnx/pattern.h"

namespace stair::frontend::onnx::patterns_ {
namespace {

// x / 2 (1 + erf(x / sqrt(2)))
bool fold_gelu(Layers& layers, Layer& layer) {
  if (layer.op != "mul" && layer.op != "div") return false;
  const Factors factors = factors_of(layers, layer);
  for (const std::string& x : factors.values) {
    const Layer* curve = layers.find(added_to(layers, other_factor(factors, 0.5, x), 1));
    if (curve == nullptr || curve->op != "erf") continue;
    const Layer* scaled = layers.find(curve->inputs.front());
    if (scaled == nullptr) continue;
    const Factors inner = factors_of(layers, *scaled);
    if (inner.values != std::vector{x} || std::abs(inner.number - std::sqrt(0.5)) > 1e-5) continue;
    become(layers, layer, "gelu", x);
    return true;
  }
  return false;
}

}  // namespace

void gelu(PatternRegistry& registry) {
  registry.add({"gelu", "`x · (erf(x / √2) + 1) / 2`", fold_gelu});
}

}  // namespace stair::frontend::onnx::patterns_
