#include <algorithm>
#include <cmath>
#include <optional>

#include "frontend/importers/onnx/pattern.h"

namespace stair::frontend::onnx::patterns_ {
namespace {

// Whether both are the same, though exporters may compute it twice.
bool is_same(const Layers& layers, const std::string& a, const std::string& b) {
  if (a == b) return true;
  const Layer* of_a = layers.find(a);
  const Layer* of_b = layers.find(b);
  return of_a != nullptr && of_b != nullptr && of_a->op == of_b->op && !of_a->constant && of_a->attributes == of_b->attributes &&
         of_a->inputs == of_b->inputs && of_a->parameters.empty() && of_b->parameters.empty();
}

// The first of the axes that a mean is over, counted from the end, if they are the last ones and stay as dimensions.
std::optional<std::int64_t> first_of_last_axes(const Layers& layers, const Layer& mean) {
  if (mean.op != "reduce_mean" || !mean.attributes.boolean("keep")) return std::nullopt;
  std::vector<std::int64_t> axes = mean.attributes.integers("axes");
  std::sort(axes.begin(), axes.end());
  const auto rank = static_cast<std::int64_t>(layers.shape(mean.inputs.front()).size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != rank - static_cast<std::int64_t>(axes.size() - i)) return std::nullopt;
  }
  return axes.empty() ? std::nullopt : std::optional(axes.front() - rank);
}

// What is squared; "" for other values.
std::string squared(const Layers& layers, const std::string& name) {
  const Layer* layer = layers.find(name);
  if (layer == nullptr) return "";
  if (layer->op == "square") return layer->inputs.front();
  return layer->op == "mul" && is_same(layers, layer->inputs[0], layer->inputs[1]) ? layer->inputs[0] : "";
}

// The value that is divided by the root, as d / r or d (1 / r), and the root.
bool is_quotient(const Layers& layers, const Layer& layer, std::string& value, std::string& root) {
  if (layer.op == "div") {
    value = layer.inputs[0];
    root = layer.inputs[1];
    return true;
  }
  if (layer.op != "mul") return false;
  for (const std::string& name : layer.inputs) {
    const Layer* inverse = layers.find(name);
    if (inverse == nullptr || inverse->op != "div" || !is_number(layers, inverse->inputs[0], 1)) continue;
    value = other_input(layer, name);
    root = inverse->inputs[1];
    return true;
  }
  return false;
}

// (x - mean) / sqrt(mean of (x - mean)^2 + eps)
bool fold_rows(Layers& layers, Layer& layer) {
  std::string centred;
  std::string root;
  if (!is_quotient(layers, layer, centred, root)) return false;
  const Layer* difference = layers.find(centred);
  const Layer* square_root = layers.find(root);
  if (difference == nullptr || square_root == nullptr || difference->op != "sub" || square_root->op != "sqrt") return false;
  const Layer* mean = layers.find(difference->inputs[1]);
  const Layer* sum = layers.find(square_root->inputs.front());
  if (mean == nullptr || sum == nullptr || sum->op != "add" || mean->inputs.empty() || mean->inputs.front() != difference->inputs[0])
    return false;
  for (const std::string& name : sum->inputs) {
    const Layer* variance = layers.find(name);
    const Layer* eps = layers.find(other_input(*sum, name));
    if (variance == nullptr || eps == nullptr || !eps->constant || eps->constant->count() != 1) continue;
    const std::optional<std::int64_t> axis = first_of_last_axes(layers, *mean);
    if (!axis || variance->op != "reduce_mean" || variance->attributes != mean->attributes || eps->constant->number(0) <= 0) continue;
    if (!is_same(layers, squared(layers, variance->inputs.front()), centred)) continue;
    const std::string x = mean->inputs.front();
    const ir::Shape& shape = layers.shape(x);
    Constant ones = zeros(ElementType::f32, {shape.end() + *axis, shape.end()});
    layer.parameters["beta"] = to_tensor(ones, ones.shape);
    std::fill(ones.reals.begin(), ones.reals.end(), 1.0F);
    layer.parameters["gamma"] = to_tensor(ones, ones.shape);
    become(layers, layer, "layer_norm", x, {{"axis", *axis}, {"eps", shortest(eps->constant->number(0))}});
    return true;
  }
  return false;
}

bool holds_only(const runtime::Tensor& tensor, float value) {
  return std::all_of(tensor.as<float>(), tensor.as<float>() + tensor.count(), [value](float x) { return x == value; });
}

// Times a constant: gamma; plus a constant: beta.
bool fold_parameters(Layers& layers, Layer& layer) {
  const bool scales = layer.op == "mul";
  if ((!scales && layer.op != "add") || layer.inputs.size() != 2) return false;
  for (const std::string& name : layer.inputs) {
    Layer* norm = layers.single(name, "layer_norm");
    const Layer* other = layers.find(other_input(layer, name));
    if (norm == nullptr || other == nullptr || !other->constant) continue;
    runtime::Tensor& parameter = norm->parameters.at(scales ? "gamma" : "beta");
    const ir::Shape& shape = parameter.type().shape;
    if (!holds_only(norm->parameters.at("beta"), 0) || (scales && !holds_only(parameter, 1))) continue;
    if (other->constant->shape.size() > shape.size()) continue;
    if (broadcast_shape(other->constant->shape, shape) != shape) continue;
    parameter = to_tensor(broadcast_to(*other->constant, shape), shape);
    layers.replace_uses(layer.name, name);
    return true;
  }
  return false;
}

}  // namespace

void layer_norm(PatternRegistry& registry) {
  registry.add({"layer_norm", "`(x - mean) / sqrt(variance + eps)` over the last dimensions", fold_rows});
  registry.add(
      {"layer_norm_parameters", "a constant that a `layer_norm` without its own is multiplied by, or that is added", fold_parameters});
}

}  // namespace stair::frontend::onnx::patterns_
