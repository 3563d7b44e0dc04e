#pragma once

#include <functional>
#include <string>

#include "frontend/importers/onnx/layers.h"
#include "ir/kinds.h"

namespace stair::frontend::onnx {

/// What exporters write in several nodes and is one layer here: one file in frontend/importers/onnx/patterns.
struct Pattern {
  std::string name;
  std::string summary;
  /// Changes the layer so that it stands for the whole pattern, if it is the last of one. What leads to nothing is removed afterwards.
  std::function<bool(Layers&, Layer&)> fold;
};

using PatternRegistry = ir::Registry<Pattern>;
const PatternRegistry& patterns();

/// Folds what can be folded, until nothing can.
void fold_patterns(Layers& layers);

/// Whether the value is a constant of this number alone, within a float's rounding of a formula's.
bool is_number(const Layers& layers, const std::string& name, double number);
/// Of a layer with two inputs, the one that isn't `name`; "" where that isn't one of them.
std::string other_input(const Layer& layer, const std::string& name);
/// What `add` adds to a constant of this number; "" where it is no such layer.
std::string added_to(const Layers& layers, const std::string& name, double number);

/// A product, whatever the order in which exporters multiply: `number` times values. Factors that only this product reads are taken apart.
struct Factors {
  double number = 1;
  std::vector<std::string> values;
};
Factors factors_of(const Layers& layers, const Layer& product);
/// Of a product of two values, and times `number`, the one that isn't `name`; "" for others.
std::string other_factor(const Factors& factors, double number, const std::string& name);

/// The layer becomes one of another op, of this input.
void become(Layers& layers, Layer& layer, const std::string& op, const std::string& input, ir::Attributes attributes = {});

}  // namespace stair::frontend::onnx
