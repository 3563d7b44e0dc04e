#include "frontend/exporters/onnx/requantizing.h"
#include "ir/op.h"

// In int64, step by step: no operator of ONNX rounds like N-REQ-FIXED.

namespace stair::frontend::to_onnx::ops {
namespace {

using ir::Node;
using ir::ValueId;

void emit_requantize_fixed(Emitter& emit, const Node& node) {
  const ValueId sum = node.operands[0];
  const ValueId bias = node.operand(4);
  const std::size_t rank = emit.graph().type(sum).shape.size();
  const std::int64_t axis = node.attributes.integer("axis");
  const std::vector<std::int64_t> mantissa = emit.integers(node.operands[1]);
  std::vector<std::int64_t> shift = emit.integers(node.operands[2]);
  const std::string acc = emit.cast(biased(emit, emit(sum), bias, axis, rank), Element::i64);
  const ir::Shape shape = along(mantissa.size(), axis, rank);
  if (bias == ir::absent || !ir::is_float(emit.graph().type(bias).dtype)) {
    emit.yields(node.results[0], placed(emit, node, node.operands[3], node.operand(5), fixed_product(emit, acc, mantissa, shift, shape)));
    return;
  }
  for (std::int64_t& s : shift) s = s + 8 < 31 ? s + 8 : 31;
  const std::vector<float> its = emit.floats(bias);
  std::string t = emit.cast(fixed_product(emit, acc, mantissa, shift, shape), Element::f32);
  t = emit.add("Add", {emit.add("Mul", {t, emit.scalar(0x1p-8F)}), emit.floats(its, along(its.size(), axis, rank))});
  const std::string zero_point = emit.scalar(Element::u8, emit.integers(node.operands[3])[0] + emit.shift(node.results[0]));
  const std::string q = emit.add("QuantizeLinear", {t, emit.scalar(1.0F), zero_point}, {}, name_unclamped(emit, node, node.operand(5)));
  emit.yields(node.results[0], clamped(emit, node, node.operand(5), q));
}

}  // namespace

void requantize_fixed(OperatorRegistry& registry) {
  registry.add({"requantize_fixed", emit_requantize_fixed});
}

}  // namespace stair::frontend::to_onnx::ops
