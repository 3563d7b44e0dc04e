#include <algorithm>

#include "frontend/importers/onnx/pattern.h"

namespace stair::frontend::onnx::patterns_ {
namespace {

// Zeros around the sides of what a convolution or an average over all of a window reads are its padding.
bool fold_padding(Layers& layers, Layer& layer) {
  const bool convolves = layer.op == "conv2d" || layer.op == "conv1d";
  const bool averages = layer.op == "avg_pool" || layer.op == "avg_pool1d";
  if (!convolves && !averages) return false;
  const Layer* pad = layers.single(layer.inputs.front(), "pad");
  if (pad == nullptr || pad->attributes.number("value") != 0) return false;
  const std::vector<std::int64_t>& around = pad->attributes.integers("padding");
  const std::size_t rank = around.size() / 2;
  const std::size_t sides = rank - 2;
  std::vector<std::int64_t> padding = layer.attributes.integers("padding");
  if (padding.size() != 2 * sides || around[0] + around[1] + around[rank] + around[rank + 1] != 0) return false;
  const std::vector<std::int64_t>& kernel = layer.attributes.integers("kernel");
  for (std::size_t d = 0; d < sides; ++d) {
    padding[d] += around[2 + d];
    padding[sides + d] += around[rank + 2 + d];
    if (averages && std::max(padding[d], padding[sides + d]) >= kernel[d]) return false;
  }
  layer.attributes.set("padding", padding);
  layers.set_inputs(layer, pad->inputs);
  return true;
}

}  // namespace

void padding(PatternRegistry& registry) {
  registry.add({"padding", "`pad` with zeros before a convolution or an average", fold_padding});
}

}  // namespace stair::frontend::onnx::patterns_
