#include "frontend/exporters/onnx/requantizing.h"
#include "ir/op.h"

namespace stair::frontend::to_onnx::ops {
namespace {

using ir::Node;

std::vector<Attribute> axis_of(const Node& node, std::size_t scales) {
  if (scales == 1) return {};
  return {integer("axis", node.attributes.integer("axis"))};
}

ir::Shape shape_of(std::size_t scales) {
  if (scales == 1) return {};
  return {static_cast<std::int64_t>(scales)};
}

std::string zeros(Emitter& emit, const Node& node, ir::ValueId q, std::size_t scales) {
  const std::int64_t zero = emit.integers(node.operands[2])[0] + emit.shift(q);
  return emit.integers(Element::u8, std::vector<std::int64_t>(scales, zero), shape_of(scales));
}

void emit_quantize(Emitter& emit, const Node& node) {
  const std::vector<float> scale = emit.floats(node.operands[1]);
  const std::string q =
      emit.add("QuantizeLinear",
               {emit(node.operands[0]), emit.floats(scale, shape_of(scale.size())), zeros(emit, node, node.results[0], scale.size())},
               axis_of(node, scale.size()), name_unclamped(emit, node, ir::absent));
  emit.yields(node.results[0], clamped(emit, node, ir::absent, q));
}

void emit_dequantize(Emitter& emit, const Node& node) {
  const std::vector<float> scale = emit.floats(node.operands[1]);
  emit.yields(node.results[0], emit.add("DequantizeLinear",
                                        {emit(node.operands[0]), emit.floats(scale, shape_of(scale.size())),
                                         zeros(emit, node, node.operands[0], scale.size())},
                                        axis_of(node, scale.size()), emit.wanted(node.results[0])));
}

// As Gather: of other functions than a few ONNX Runtime makes no table, and of those its own.
void emit_lookup(Emitter& emit, const Node& node) {
  std::vector<std::int64_t> table = emit.integers(node.operands[1]);
  for (std::int64_t& entry : table) entry += emit.shift(node.results[0]);
  emit.yields(node.results[0],
              emit.add("Gather", {emit.integers(Element::u8, table, {256}), emit.cast(emit(node.operands[0]), Element::i32)}, {},
                       emit.wanted(node.results[0])));
}

}  // namespace

void quantizing(OperatorRegistry& registry) {
  registry.add({"quantize", emit_quantize});
  registry.add({"dequantize", emit_dequantize});
  registry.add({"lookup", emit_lookup});
}

}  // namespace stair::frontend::to_onnx::ops
