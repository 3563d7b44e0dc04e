#include <algorithm>

#include "frontend/importers/onnx/pattern.h"
#include "ir/op.h"

// Exporters of frameworks with channels last put a transpose before and behind each convolution. They are moved down, through what works
// element by element, until two meet.

namespace stair::frontend::onnx::patterns_ {
namespace {

using Permutation = std::vector<std::int64_t>;

const Permutation& permutation_of(const Layer& transpose) {
  return transpose.attributes.integers("permutation");
}

bool fold_pair(Layers& layers, Layer& layer) {
  if (layer.op != "transpose") return false;
  const Layer* before = layers.find(layer.inputs.front());
  if (before == nullptr || before->op != "transpose") return false;
  Permutation both;
  for (const std::int64_t d : permutation_of(layer)) both.push_back(permutation_of(*before)[static_cast<std::size_t>(d)]);
  const std::string x = before->inputs.front();
  if (std::is_sorted(both.begin(), both.end())) {
    layers.replace_uses(layer.name, x);
    return true;
  }
  layers.set_inputs(layer, {x});
  layer.attributes.set("permutation", both);
  return true;
}

bool works_element_by_element(const Layer& layer) {
  const ir::OpSchema* op = ir::op_registry().find(layer.op);
  return op != nullptr && op->operands.size() == 1 && layer.parameters.empty() && op->integer.kind == ir::IntegerForm::Kind::unary;
}

// f(transpose(x)) as transpose(f(x)).
bool sink(Layers& layers, Layer& layer) {
  if (!works_element_by_element(layer)) return false;
  Layer* transpose = layers.single(layer.inputs.front(), "transpose");
  if (transpose == nullptr) return false;
  const std::string name = transpose->name;
  const std::string x = transpose->inputs.front();
  const ir::Attributes permutation = transpose->attributes;
  transpose->op = layer.op;
  transpose->attributes = layer.attributes;
  layers.infer(*transpose);
  const std::string own = layer.name;
  become(layers, layer, "transpose", name, permutation);
  layers.swap_names(name, own);
  return true;
}

// A reduction without its axes kept, of which the others stay in their order.
bool fold_reduction(Layers& layers, Layer& layer) {
  if (layer.op != "reduce_mean" && layer.op != "reduce_sum" && layer.op != "reduce_max") return false;
  const Layer* transpose = layers.find(layer.inputs.front());
  if (transpose == nullptr || transpose->op != "transpose" || layer.attributes.boolean("keep")) return false;
  const Permutation& permutation = permutation_of(*transpose);
  Permutation axes;
  Permutation others;
  for (std::size_t d = 0; d < permutation.size(); ++d) {
    const std::vector<std::int64_t>& reduced = layer.attributes.integers("axes");
    const bool is_reduced = std::find(reduced.begin(), reduced.end(), static_cast<std::int64_t>(d)) != reduced.end();
    (is_reduced ? axes : others).push_back(permutation[d]);
  }
  if (!std::is_sorted(others.begin(), others.end())) return false;
  std::sort(axes.begin(), axes.end());
  layer.attributes.set("axes", axes);
  layers.set_inputs(layer, transpose->inputs);
  return true;
}

}  // namespace

void transposes(PatternRegistry& registry) {
  registry.add({"transpose_pair", "a `transpose` of a `transpose`", fold_pair});
  registry.add({"transpose_sinks", "`f(transpose(x))` of one element each as `transpose(f(x))`", sink});
  registry.add({"transpose_reduction", "a reduction of a `transpose`", fold_reduction});
}

}  // namespace stair::frontend::onnx::patterns_
