#include <algorithm>

#include "frontend/importers/onnx/pattern.h"

namespace stair::frontend::onnx::patterns_ {
namespace {

// Whether the constant is one number a channel, of a value of this shape with the channels in dimension `axis`.
bool is_per_channel(const ir::Shape& constant, const ir::Shape& value, std::size_t axis) {
  if (constant.size() > value.size()) return false;
  bool has_channels = false;
  for (std::size_t d = 0; d < constant.size(); ++d) {
    const std::size_t of_value = d + value.size() - constant.size();
    if (of_value == axis) has_channels = constant[d] == value[axis];
    if (of_value != axis && constant[d] != 1) return false;
  }
  return has_channels;
}

// A constant a channel that is added to what has weights, and has no bias yet, is its bias.
bool fold_bias(Layers& layers, Layer& layer) {
  if (layer.op != "add" || layer.inputs.size() != 2) return false;
  for (const char* op : {"linear", "conv2d", "conv1d", "conv_transpose2d", "conv_transpose1d"}) {
    for (const std::string& name : layer.inputs) {
      Layer* weighted = layers.single(name, op);
      const Layer* added = layers.find(other_input(layer, name));
      if (weighted == nullptr || added == nullptr || !added->constant || weighted->parameters.contains("bias")) continue;
      const std::size_t axis = weighted->op == "linear" ? weighted->shape.size() - 1 : 1;
      if (!is_per_channel(added->constant->shape, weighted->shape, axis)) continue;
      weighted->parameters["bias"] = to_tensor(*added->constant, {weighted->shape[axis]});
      weighted->attributes.set("bias", true);
      layers.replace_uses(layer.name, name);
      return true;
    }
  }
  return false;
}

}  // namespace

void bias(PatternRegistry& registry) {
  registry.add({"bias", "a constant a channel, added to `linear` or a convolution without a bias", fold_bias});
}

}  // namespace stair::frontend::onnx::patterns_
