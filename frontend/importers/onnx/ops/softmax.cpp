#include <fmt/format.h>

#include <functional>
#include <numeric>

#include "frontend/importers/onnx/operator.h"

namespace stair::frontend::onnx::ops {
namespace {

// Over one axis from opset 13 on; before, over all from the axis on.
void import_softmax(NodeContext& c, const char* layer) {
  const Value x = c.floats(0);
  const std::size_t rank = x.shape.size();
  const bool one = c.opset >= 13;
  const std::int64_t axis = c.axis(c.integer("axis", one ? -1 : 1), rank);
  const std::int64_t behind = std::accumulate(x.shape.begin() + axis + 1, x.shape.end(), std::int64_t{1}, std::multiplies<>());
  if (one || behind == 1) return c.yield(c.emit(layer, {x}, {{"axis", c.layer_axis(axis) - static_cast<std::int64_t>(rank) - c.lead}}));
  ir::Shape rows(x.shape.begin(), x.shape.begin() + axis);
  rows.push_back(behind * x.shape[static_cast<std::size_t>(axis)]);
  c.yield(c.emit_reshape(c.emit(layer, {c.emit_reshape(x, rows, "rows")}, {{"axis", std::int64_t{-1}}}, {}, "rows"), x.shape));
}

}  // namespace

void softmax(OperatorRegistry& registry) {
  registry.add({"Softmax", "`softmax`", [](NodeContext& c) { import_softmax(c, "softmax"); }});
  registry.add({"LogSoftmax", "`log_softmax`", [](NodeContext& c) { import_softmax(c, "log_softmax"); }});
}

}  // namespace stair::frontend::onnx::ops
