#include "frontend/exporters/onnx/emitter.h"

namespace stair::frontend::to_onnx::ops {

// ONNX's yields i64.
void argmax(OperatorRegistry& registry) {
  registry.add({"argmax", [](Emitter& emit, const ir::Node& node) {
                  const std::int64_t axis = node.attributes.integer("axis");
                  const std::string y = emit.add("ArgMax", {emit(node.operands[0])}, {integer("axis", axis), integer("keepdims", 0)});
                  emit.yields(node.results[0], emit.cast(y, Element::i32));
                }});
}

}  // namespace stair::frontend::to_onnx::ops
