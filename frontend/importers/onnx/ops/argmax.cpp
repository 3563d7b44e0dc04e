#include "frontend/importers/onnx/operator.h"

namespace stair::frontend::onnx::ops {
namespace {

void import_argmax(NodeContext& c) {
  const Value x = c.floats(0);
  const std::int64_t axis = c.axis(c.integer("axis", 0), x.shape.size());
  const bool keeps = c.integer("keepdims", 1) != 0;
  c.expect(c.integer("select_last_index", 0) == 0, "takes the last of equals, expected the first");
  Value y = c.emit("argmax", {x}, {{"axis", c.layer_axis(axis)}}, {}, keeps ? "argmax" : "");
  if (keeps) y = c.emit("unsqueeze", {y}, {{"axes", std::vector<std::int64_t>{c.layer_axis(axis)}}});
  y.type = ElementType::i64;
  c.yield(std::move(y));
}

}  // namespace

void argmax(OperatorRegistry& registry) {
  registry.add({"ArgMax", "`argmax`, `unsqueeze`", import_argmax});
}

}  // namespace stair::frontend::onnx::ops
