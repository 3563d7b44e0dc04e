#include <algorithm>

#include "frontend/exporters/onnx/requantizing.h"
#include "ir/op.h"

namespace stair::frontend::to_onnx::ops {
namespace {

using ir::Node;
using ir::ValueId;

// Whether x_scale · w_scale / y_scale, in the order of ONNX Runtime, is the multiplier: of an average with its divisor in y_scale.
bool same_multipliers(const std::vector<float>& multiplier, const Layer& layer, float y_scale) {
  for (std::size_t c = 0; c < std::max(multiplier.size(), layer.scale.size()); ++c) {
    const float made = layer.of_x.scale * layer.scale[layer.scale.size() == 1 ? 0 : c] / (y_scale * layer.divisor);
    if (made != multiplier[multiplier.size() == 1 ? 0 : c]) return false;
  }
  return true;
}

// N-REQ-FLOAT on the sum as it is: a division by 1 changes nothing.
std::string rounded(Emitter& emit, const Node& node, const std::string& zero_point, const std::string& name) {
  const ValueId sum = node.operands[0];
  const std::size_t rank = emit.graph().type(sum).shape.size();
  const std::int64_t axis = node.attributes.integer("axis");
  const ValueId bias = node.operand(3);
  const std::vector<float> multiplier = emit.floats(node.operands[1]);
  const std::string acc = emit.cast(biased(emit, emit(sum), bias, axis, rank), Element::f32);
  std::string t = emit.add("Mul", {acc, emit.floats(multiplier, along(multiplier.size(), axis, rank))});
  if (bias != ir::absent && ir::is_float(emit.graph().type(bias).dtype)) {
    const std::vector<float> its = emit.floats(bias);
    t = emit.add("Add", {t, emit.floats(its, along(its.size(), axis, rank))});
  }
  return emit.add("QuantizeLinear", {t, emit.scalar(1.0F), zero_point}, {}, name);
}

void emit_requantize(Emitter& emit, const Node& node) {
  const ir::Graph& graph = emit.graph();
  const ValueId y = node.results[0];
  const ValueId bias = node.operand(3);
  const std::int64_t zero = emit.integers(node.operands[2])[0] + emit.shift(y);
  const std::string zero_point = emit.scalar(Element::u8, zero);
  const std::optional<Quantization> of_y = emit.quantization(y);
  const std::optional<Layer> layer = layer_of(emit, *graph.producer(node.operands[0]));
  const bool integer_bias = bias == ir::absent || !ir::is_float(graph.type(bias).dtype);
  const bool product_alone = layer && layer->window.empty() && emit.style() == Style::qlinear;
  const std::string name = name_unclamped(emit, node, node.operand(4));
  std::string q;
  if (layer && of_y && of_y->zero_point == zero && integer_bias && !product_alone &&
      same_multipliers(emit.floats(node.operands[1]), *layer, of_y->scale)) {
    const std::vector<std::int64_t> its = bias == ir::absent ? std::vector<std::int64_t>{} : emit.integers(bias);
    const Quantization written{of_y->scale * layer->divisor, of_y->zero_point};
    q = emit.style() == Style::qlinear
            ? in_integers(emit, *layer, its, written, name)
            : emit.add("QuantizeLinear", {in_float(emit, *layer, its), emit.scalar(written.scale), zero_point}, {}, name);
  } else {
    q = rounded(emit, node, zero_point, name);
  }
  emit.yields(y, clamped(emit, node, node.operand(4), q));
}

}  // namespace

void requantize(OperatorRegistry& registry) {
  registry.add({"requantize", emit_requantize});
}

}  // namespace stair::frontend::to_onnx::ops
