#include "frontend/importers/onnx/pattern.h"

namespace stair::frontend::onnx::patterns_ {
namespace {

// A bound of `minimum` or `maximum` with a constant number, and what is bounded; false for other layers.
bool is_bound(const Layers& layers, const Layer& layer, double& bound, std::string& x) {
  if (layer.inputs.size() != 2) return false;
  for (const std::size_t i : {0U, 1U}) {
    const Layer* constant = layers.find(layer.inputs[i]);
    if (constant == nullptr || !constant->constant || constant->constant->count() != 1) continue;
    bound = constant->constant->number(0);
    x = layer.inputs[1 - i];
    return true;
  }
  return false;
}

bool fold_bounds(Layers& layers, Layer& layer) {
  if (layer.op != "minimum" && layer.op != "maximum") return false;
  double outer = 0;
  double inner = 0;
  std::string between;
  std::string x;
  if (!is_bound(layers, layer, outer, between)) return false;
  if (layer.op == "maximum" && outer == 0 && layers.single(between, "minimum") == nullptr) {
    become(layers, layer, "relu", between);
    return true;
  }
  const bool is_upper = layer.op == "minimum";
  const Layer* rectifier = is_upper ? layers.single(between, "relu") : nullptr;
  const Layer* other = layers.single(between, is_upper ? "maximum" : "minimum");
  if (rectifier != nullptr) {
    x = rectifier->inputs.front();
  } else if (other == nullptr || !is_bound(layers, *other, inner, x)) {
    return false;
  }
  const double low = is_upper ? inner : outer;
  const double high = is_upper ? outer : inner;
  if (low > high) return false;
  if (low == 0 && high == 6) {
    become(layers, layer, "relu6", x);
  } else {
    become(layers, layer, "clip", x, {{"low", low}, {"high", high}});
  }
  return true;
}

}  // namespace

void relu6(PatternRegistry& registry) {
  registry.add({"relu6", "`min(max(x, 0), 6)`, and with other bounds `clip`, `relu`", fold_bounds});
}

}  // namespace stair::frontend::onnx::patterns_
