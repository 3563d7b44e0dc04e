#include "frontend/importers/onnx/pattern.h"

namespace stair::frontend::onnx::patterns_ {
namespace {

// The axis, counted from the end, that a reduction is over alone, which stays as a dimension; 0 for others.
std::int64_t only_axis(const Layers& layers, const Layer& reduction) {
  const std::vector<std::int64_t>& axes = reduction.attributes.integers("axes");
  if (axes.size() != 1 || !reduction.attributes.boolean("keep")) return 0;
  return axes.front() - static_cast<std::int64_t>(layers.shape(reduction.inputs.front()).size());
}

// e / sum(e) with e = exp(x), or exp(x - max(x)), which is the same.
bool fold_softmax(Layers& layers, Layer& layer) {
  if (layer.op != "div") return false;
  const Layer* power = layers.find(layer.inputs[0]);
  const Layer* sum = layers.find(layer.inputs[1]);
  if (power == nullptr || sum == nullptr || power->op != "exp" || sum->op != "reduce_sum" || sum->inputs.front() != power->name)
    return false;
  const std::int64_t axis = only_axis(layers, *sum);
  if (axis == 0) return false;
  std::string x = power->inputs.front();
  const Layer* shifted = layers.find(x);
  const Layer* most = shifted == nullptr || shifted->op != "sub" ? nullptr : layers.find(shifted->inputs[1]);
  if (most != nullptr && most->op == "reduce_max" && most->inputs.front() == shifted->inputs[0] && only_axis(layers, *most) == axis)
    x = shifted->inputs[0];
  become(layers, layer, "softmax", x, {{"axis", axis}});
  return true;
}

}  // namespace

void softmax(PatternRegistry& registry) {
  registry.add({"softmax", "`exp(x - max) / sum`", fold_softmax});
}

}  // namespace stair::frontend::onnx::patterns_
