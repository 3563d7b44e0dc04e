#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "frontend/importers/onnx/pattern.h"

namespace stair::frontend::onnx {

void fold_patterns(Layers& layers) {
  bool changed = true;
  while (changed) {
    changed = false;
    for (std::size_t i = 0; i < layers.all().size(); ++i) {
      for (const auto& [name, pattern] : patterns().all()) {
        if (!pattern.fold(layers, *layers.find(layers.all()[i].name))) continue;
        layers.infer(*layers.find(layers.all()[i].name));
        changed = true;
        break;
      }
    }
    layers.remove_dead();
  }
}

namespace {

bool is_near(double a, double b) {
  return std::abs(a - b) <= 1e-5 * std::abs(b);
}

std::optional<double> number_of(const Layers& layers, const std::string& name) {
  const Layer* layer = layers.find(name);
  if (layer == nullptr || !layer->constant || layer->constant->count() != 1) return std::nullopt;
  return layer->constant->number(0);
}

constexpr int deepest_product = 8;  // more than any pattern has

void take_apart(const Layers& layers, const std::string& name, int depth, Factors& into) {
  const Layer* layer = layers.find(name);
  const bool is_part = layer != nullptr && depth < deepest_product && (depth == 0 || layers.uses(name) == 1);
  if (const std::optional<double> number = number_of(layers, name)) {
    into.number *= *number;
  } else if (is_part && layer->op == "mul") {
    for (const std::string& input : layer->inputs) take_apart(layers, input, depth + 1, into);
  } else if (is_part && layer->op == "div" && number_of(layers, layer->inputs[1])) {
    take_apart(layers, layer->inputs[0], depth + 1, into);
    into.number /= *number_of(layers, layer->inputs[1]);
  } else {
    into.values.push_back(name);
  }
}

}  // namespace

bool is_number(const Layers& layers, const std::string& name, double number) {
  const std::optional<double> its = number_of(layers, name);
  return its && is_near(*its, number);
}

std::string added_to(const Layers& layers, const std::string& name, double number) {
  const Layer* layer = layers.find(name);
  if (layer == nullptr || layer->op != "add") return "";
  if (is_number(layers, layer->inputs[1], number)) return layer->inputs[0];
  return is_number(layers, layer->inputs[0], number) ? layer->inputs[1] : "";
}

Factors factors_of(const Layers& layers, const Layer& product) {
  Factors factors;
  take_apart(layers, product.name, 0, factors);
  return factors;
}

std::string other_factor(const Factors& factors, double number, const std::string& name) {
  if (factors.values.size() != 2 || !is_near(factors.number, number)) return "";
  if (factors.values[0] == name) return factors.values[1];
  return factors.values[1] == name ? factors.values[0] : "";
}

void become(Layers& layers, Layer& layer, const std::string& op, const std::string& input, ir::Attributes attributes) {
  layer.op = op;
  layers.set_inputs(layer, {input});
  layer.attributes = std::move(attributes);
}

std::string other_input(const Layer& layer, const std::string& name) {
  if (layer.inputs.size() != 2) return "";
  if (layer.inputs[0] == name) return layer.inputs[1];
  return layer.inputs[1] == name ? layer.inputs[0] : "";
}

}  // namespace stair::frontend::onnx
