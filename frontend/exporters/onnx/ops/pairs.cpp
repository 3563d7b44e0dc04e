#include "frontend/exporters/onnx/requantizing.h"
#include "ir/op.h"

namespace stair::frontend::to_onnx::ops {
namespace {

using ir::Node;
using ir::ValueId;

// Of Add and Mul ONNX Runtime makes operators with another arithmetic (QLinearAdd, QLinearMul); of Sum it doesn't.
void emit_point_binary(Emitter& emit, const Node& node) {
  const auto operand = [&](std::size_t i) {
    const std::int64_t zero = emit.integers(node.operands[2 * i + 3])[0] + emit.shift(node.operands[i]);
    return emit.add("DequantizeLinear",
                    {emit(node.operands[i]), emit.scalar(emit.floats(node.operands[2 * i + 2])[0]), emit.scalar(Element::u8, zero)});
  };
  const std::string a = operand(0);
  const std::string b = operand(1);
  const std::string& function = node.attributes.text("function");
  std::string f;
  if (function == "add") f = emit.add("Sum", {a, b});
  if (function == "sub") f = emit.add("Sub", {a, b});
  if (function == "mul") f = emit.add("Sum", {emit.add("Mul", {a, b})});
  const ValueId y = node.results[0];
  const std::string zero = emit.scalar(Element::u8, emit.integers(node.operands[7])[0] + emit.shift(y));
  const std::string q =
      emit.add("QuantizeLinear", {f, emit.scalar(emit.floats(node.operands[6])[0]), zero}, {}, name_unclamped(emit, node, node.operand(8)));
  emit.yields(y, clamped(emit, node, node.operand(8), q));
}

// q - z in int64.
std::string centred(Emitter& emit, const Node& node, std::size_t i) {
  const std::int64_t zero = emit.integers(node.operands[i + 2])[0] + emit.shift(node.operands[i]);
  return emit.add("Sub", {emit.cast(emit(node.operands[i]), Element::i64), emit.scalar(Element::i64, zero)});
}

void emit_add_fixed(Emitter& emit, const Node& node) {
  const std::vector<std::int64_t> mantissa = emit.integers(node.operands[4]);
  const std::vector<std::int64_t> shift = emit.integers(node.operands[5]);
  const auto scaled = [&](std::size_t i) {
    const std::string x = emit.add("Mul", {centred(emit, node, i), emit.scalar(Element::i64, 1 << 20)});
    return fixed_product(emit, x, {mantissa[i]}, {shift[i]}, {});
  };
  const std::string a = scaled(0);
  const std::string sum = emit.add(node.attributes.boolean("subtract") ? "Sub" : "Add", {a, scaled(1)});
  emit.yields(node.results[0],
              placed(emit, node, node.operands[6], node.operand(7), fixed_product(emit, sum, {mantissa[2]}, {shift[2]}, {})));
}

void emit_mul_fixed(Emitter& emit, const Node& node) {
  const std::string product = emit.add("Mul", {centred(emit, node, 0), centred(emit, node, 1)});
  const std::string steps = fixed_product(emit, product, emit.integers(node.operands[4]), emit.integers(node.operands[5]), {});
  emit.yields(node.results[0], placed(emit, node, node.operands[6], node.operand(7), steps));
}

}  // namespace

void pairs(OperatorRegistry& registry) {
  registry.add({"point_binary", emit_point_binary});
  registry.add({"add_fixed", emit_add_fixed});
  registry.add({"mul_fixed", emit_mul_fixed});
}

}  // namespace stair::frontend::to_onnx::ops
