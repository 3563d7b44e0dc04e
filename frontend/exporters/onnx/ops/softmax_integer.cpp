#include "frontend/exporters/onnx/requantizing.h"
#include "ir/op.h"

// N-SOFTMAX in int64, step by step.

namespace stair::frontend::to_onnx::ops {
namespace {

using ir::Node;

void emit_softmax_integer(Emitter& emit, const Node& node) {
  const std::int64_t axis = node.attributes.integer("axis");
  const std::int64_t mantissa = emit.integers(node.operands[2])[0];
  const std::int64_t e = 56 - emit.integers(node.operands[3])[0];
  const std::string q = emit.cast(emit(node.operands[0]), Element::i64);
  const std::string largest = emit.add("ReduceMax", {q}, {integers("axes", {axis}), integer("keepdims", 1)});
  const std::string table = emit.integers(Element::i64, emit.integers(node.operands[1]), {256});
  const std::string t = emit.add("Gather", {table, emit.add("Sub", {largest, q})});
  const auto constant = [&](std::int64_t value) { return emit.scalar(Element::i64, value); };
  const std::string sum = emit.add("ReduceSum", {t, emit.integers(Element::i64, {axis}, {1})}, {integer("keepdims", 1)});
  const std::string f = emit.add("Div", {constant(mantissa << 25), emit.add("Max", {sum, constant(std::int64_t{1} << 24)})});
  std::string steps = constant(0);
  if (e <= 57) {
    steps =
        emit.add("Div", {emit.add("Add", {emit.add("Mul", {t, f}), constant(std::int64_t{1} << (e - 1))}), constant(std::int64_t{1} << e)});
  } else {
    steps = emit.add("Mul", {t, steps});
  }
  emit.yields(node.results[0], placed(emit, node, node.operands[4], ir::absent, steps));
}

}  // namespace

void softmax_integer(OperatorRegistry& registry) {
  registry.add({"softmax_integer", emit_softmax_integer});
}

}  // namespace stair::frontend::to_onnx::ops
