#include <cmath>

#include "frontend/importers/onnx/pattern.h"

namespace stair::frontend::onnx::patterns_ {
namespace {

bool fold_hard_sigmoid(Layers& layers, Layer& layer) {
  if (layer.op != "mul" && layer.op != "div") return false;
  const Factors factors = factors_of(layers, layer);
  if (factors.values.size() != 1 || std::abs(factors.number - 1.0 / 6) > 1e-6) return false;
  const Layer* gate = layers.find(factors.values.front());
  if (gate == nullptr || gate->op != "relu6") return false;
  const std::string x = added_to(layers, gate->inputs.front(), 3);
  if (x.empty()) return false;
  become(layers, layer, "hard_sigmoid", x);
  return true;
}

}  // namespace

void hard_sigmoid(PatternRegistry& registry) {
  registry.add({"hard_sigmoid", "`relu6(x + 3) / 6`", fold_hard_sigmoid});
}

}  // namespace stair::frontend::onnx::patterns_
