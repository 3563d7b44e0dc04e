#include "frontend/exporters/onnx/requantizing.h"
#include "ir/op.h"

namespace stair::frontend::to_onnx::ops {
namespace {

using ir::Node;
using ir::ValueId;

bool same_steps(const std::vector<float>& step, const Layer& layer) {
  for (std::size_t c = 0; c < step.size(); ++c) {
    if (layer.of_x.scale * layer.scale[layer.scale.size() == 1 ? 0 : c] != step[c]) return false;
  }
  return step.size() >= layer.scale.size();
}

void emit_dequantize_accumulator(Emitter& emit, const Node& node) {
  const ValueId sum = node.operands[0];
  const ValueId bias = node.operand(2);
  const std::vector<float> step = emit.floats(node.operands[1]);
  const bool integer_bias = bias != ir::absent && !ir::is_float(emit.graph().type(bias).dtype);
  const std::optional<Layer> layer = layer_of(emit, *emit.graph().producer(sum));
  // A product of floats becomes one of integers in ONNX Runtime, a convolution doesn't.
  if (emit.style() == Style::qdq && layer && layer->window.empty() && integer_bias && same_steps(step, *layer)) {
    emit.yields(node.results[0], in_float(emit, *layer, emit.integers(bias), emit.wanted(node.results[0])));
    return;
  }
  const std::size_t rank = emit.graph().type(sum).shape.size();
  const std::int64_t axis = node.attributes.integer("axis");
  const bool more = bias != ir::absent && !integer_bias;
  const std::string acc = emit.cast(biased(emit, emit(sum), bias, axis, rank), Element::f32);
  std::string y = emit.add("Mul", {acc, emit.floats(step, along(step.size(), axis, rank))}, {}, more ? "" : emit.wanted(node.results[0]));
  if (more) {
    const std::vector<float> its = emit.floats(bias);
    y = emit.add("Add", {y, emit.floats(its, along(its.size(), axis, rank))}, {}, emit.wanted(node.results[0]));
  }
  emit.yields(node.results[0], y);
}

}  // namespace

void dequantize_accumulator(OperatorRegistry& registry) {
  registry.add({"dequantize_accumulator", emit_dequantize_accumulator});
}

}  // namespace stair::frontend::to_onnx::ops
