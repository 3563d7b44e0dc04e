#include <algorithm>
#include <numeric>

#include "frontend/exporters/onnx/requantizing.h"
#include "ir/op.h"

// N-MOVE: on integers and floats alike.

namespace stair::frontend::to_onnx::ops {
namespace {

using ir::Node;

std::string axes_of(Emitter& emit, const std::vector<std::int64_t>& axes) {
  return emit.integers(Element::i64, axes, {static_cast<std::int64_t>(axes.size())});
}

const ir::Shape& shape_of_x(const Emitter& emit, const Node& node) {
  return emit.graph().type(node.operands[0]).shape;
}

// One operator, of the first operand and what `more` adds.
template <class Write>
Operator move(const std::string& name, Write write) {
  return {name, [write](Emitter& emit, const Node& node) {
            emit.yields_like(node.results[0], write(emit, node, emit(node.operands[0])), node.operands[0]);
          }};
}

std::string write_max_pool(Emitter& emit, const Node& node, const std::string& x) {
  return emit.add("MaxPool", {x}, window_of(node, node.attributes.integers("kernel")), emit.wanted(node.results[0]));
}

std::string write_reduce_max(Emitter& emit, const Node& node, const std::string& x) {
  return emit.add("ReduceMax", {x},
                  {integers("axes", node.attributes.integers("axes")), integer("keepdims", node.attributes.boolean("keep") ? 1 : 0)},
                  emit.wanted(node.results[0]));
}

std::string write_global_max_pool(Emitter& emit, const Node& node, const std::string& x) {
  return emit.add("ReduceMax", {x}, {integers("axes", {2, 3}), integer("keepdims", 1)}, emit.wanted(node.results[0]));
}

std::string write_reshape(Emitter& emit, const Node& node, const std::string& x) {
  return emit.add("Reshape", {x, axes_of(emit, node.attributes.integers("shape"))}, {}, emit.wanted(node.results[0]));
}

std::string write_flatten(Emitter& emit, const Node& node, const std::string& x) {
  return emit.add("Flatten", {x}, {integer("axis", node.attributes.integer("axis"))}, emit.wanted(node.results[0]));
}

std::string write_transpose(Emitter& emit, const Node& node, const std::string& x) {
  return emit.add("Transpose", {x}, {integers("perm", node.attributes.integers("permutation"))}, emit.wanted(node.results[0]));
}

std::string write_squeeze(Emitter& emit, const Node& node, const std::string& x) {
  return emit.add("Squeeze", {x, axes_of(emit, node.attributes.integers("axes"))}, {}, emit.wanted(node.results[0]));
}

std::string write_unsqueeze(Emitter& emit, const Node& node, const std::string& x) {
  return emit.add("Unsqueeze", {x, axes_of(emit, node.attributes.integers("axes"))}, {}, emit.wanted(node.results[0]));
}

std::string gathered(Emitter& emit, const std::string& x, std::int64_t axis, const std::vector<std::int64_t>& indices,
                     const std::string& name) {
  return emit.add("Gather", {x, axes_of(emit, indices)}, {integer("axis", axis)}, name);
}

std::string write_gather(Emitter& emit, const Node& node, const std::string& x) {
  return gathered(emit, x, node.attributes.integer("axis"), node.attributes.integers("indices"), emit.wanted(node.results[0]));
}

std::string write_slice(Emitter& emit, const Node& node, const std::string& x) {
  return emit.add("Slice",
                  {x, axes_of(emit, node.attributes.integers("starts")), axes_of(emit, node.attributes.integers("ends")),
                   axes_of(emit, node.attributes.integers("axes"))},
                  {}, emit.wanted(node.results[0]));
}

std::string write_resize_nearest(Emitter& emit, const Node& node, const std::string& x) {
  std::string y = x;
  for (std::size_t side = 0; side < 2; ++side) {
    const std::int64_t in = shape_of_x(emit, node)[side + 2];
    const std::int64_t out = node.attributes.integers("size")[side];
    std::vector<std::int64_t> from;
    for (std::int64_t i = 0; i < out; ++i) from.push_back(i * in / out);
    y = gathered(emit, y, static_cast<std::int64_t>(side) + 2, from, side == 1 ? emit.wanted(node.results[0]) : "");
  }
  return y;
}

std::string write_pad(Emitter& emit, const Node& node, const std::string& x) {
  return emit.add("Pad",
                  {x, axes_of(emit, node.attributes.integers("padding")), emit.scalar(static_cast<float>(node.attributes.number("value")))},
                  {}, emit.wanted(node.results[0]));
}

std::string write_pad_integer(Emitter& emit, const Node& node, const std::string& x) {
  const std::int64_t zero = emit.integers(node.operands[1])[0] + emit.shift(node.operands[0]);
  return emit.add("Pad", {x, axes_of(emit, node.attributes.integers("padding")), emit.scalar(Element::u8, zero)}, {},
                  emit.wanted(node.results[0]));
}

std::string reordered(Emitter& emit, const Node& node, const std::string& x, const std::vector<std::int64_t>& apart,
                      const std::vector<std::int64_t>& permutation, const std::vector<std::int64_t>& together) {
  const std::string split = emit.add("Reshape", {x, axes_of(emit, apart)});
  return emit.add("Reshape", {emit.add("Transpose", {split}, {integers("perm", permutation)}), axes_of(emit, together)}, {},
                  emit.wanted(node.results[0]));
}

std::string write_depth_to_space(Emitter& emit, const Node& node, const std::string& x) {
  const ir::Shape& s = shape_of_x(emit, node);
  const std::int64_t b = node.attributes.integer("block");
  const std::int64_t c = s[1] / (b * b);
  if (node.attributes.text("order") == "crd")
    return reordered(emit, node, x, {0, c, b, b, s[2], s[3]}, {0, 1, 4, 2, 5, 3}, {0, c, s[2] * b, s[3] * b});
  return reordered(emit, node, x, {0, b, b, c, s[2], s[3]}, {0, 3, 4, 1, 5, 2}, {0, c, s[2] * b, s[3] * b});
}

std::string write_space_to_depth(Emitter& emit, const Node& node, const std::string& x) {
  const ir::Shape& s = shape_of_x(emit, node);
  const std::int64_t b = node.attributes.integer("block");
  const bool crd = node.attributes.text("order") == "crd";
  return reordered(emit, node, x, {0, s[1], s[2] / b, b, s[3] / b, b},
                   crd ? std::vector<std::int64_t>{0, 1, 3, 5, 2, 4} : std::vector<std::int64_t>{0, 3, 5, 1, 2, 4},
                   {0, s[1] * b * b, s[2] / b, s[3] / b});
}

std::string write_embedding(Emitter& emit, const Node& node, const std::string& x) {
  return emit.add("Gather", {x, emit(node.operands[1])}, {integer("axis", 0)}, emit.wanted(node.results[0]));
}

std::vector<std::string> all(Emitter& emit, const Node& node) {
  std::vector<std::string> names;
  for (const ir::ValueId operand : node.operands) names.push_back(emit(operand));
  return names;
}

// ONNX's repeats nothing.
std::string write_concat(Emitter& emit, const Node& node, const std::string& /*x*/) {
  std::vector<std::string> names = all(emit, node);
  const auto is_constant = [&](ir::ValueId operand) { return emit.constant(operand) != nullptr; };
  const auto varies = std::find_if_not(node.operands.begin(), node.operands.end(), is_constant);
  for (std::size_t i = 0; i < names.size() && varies != node.operands.end(); ++i) {
    if (!is_constant(node.operands[i])) continue;
    const ir::Shape& shape = emit.graph().type(node.operands[i]).shape;
    const std::string examples = emit.add("Slice", {emit.add("Shape", {emit(*varies)}), axes_of(emit, {0}), axes_of(emit, {1})});
    const std::string repeated = emit.add("Concat", {examples, axes_of(emit, {shape.begin() + 1, shape.end()})}, {integer("axis", 0)});
    names[i] = emit.add("Expand", {names[i], repeated});
  }
  return emit.add("Concat", names, {integer("axis", node.attributes.integer("axis"))}, emit.wanted(node.results[0]));
}

// ONNX Runtime has none of u8.
std::string extremum(Emitter& emit, const Node& node, const std::string& op) {
  std::vector<std::string> operands = all(emit, node);
  const bool floats = ir::is_float(emit.graph().type(node.results[0]).dtype);
  if (floats) return emit.add(op, operands, {}, emit.wanted(node.results[0]));
  for (std::string& operand : operands) operand = emit.cast(operand, Element::i32);
  return emit.cast(emit.add(op, operands), Element::u8, emit.wanted(node.results[0]));
}

std::string write_minimum(Emitter& emit, const Node& node, const std::string& /*x*/) {
  return extremum(emit, node, "Min");
}

std::string write_maximum(Emitter& emit, const Node& node, const std::string& /*x*/) {
  return extremum(emit, node, "Max");
}

}  // namespace

void moves(OperatorRegistry& registry) {
  registry.add(move("max_pool", write_max_pool));
  registry.add(move("reduce_max", write_reduce_max));
  registry.add(move("global_max_pool", write_global_max_pool));
  registry.add(move("reshape", write_reshape));
  registry.add(move("flatten", write_flatten));
  registry.add(move("transpose", write_transpose));
  registry.add(move("squeeze", write_squeeze));
  registry.add(move("unsqueeze", write_unsqueeze));
  registry.add(move("gather", write_gather));
  registry.add(move("slice", write_slice));
  registry.add(move("resize_nearest", write_resize_nearest));
  registry.add(move("pad", write_pad));
  registry.add(move("pad_integer", write_pad_integer));
  registry.add(move("depth_to_space", write_depth_to_space));
  registry.add(move("space_to_depth", write_space_to_depth));
  registry.add(move("embedding", write_embedding));
  registry.add(move("concat", write_concat));
  registry.add(move("minimum", write_minimum));
  registry.add(move("maximum", write_maximum));
}

}  // namespace stair::frontend::to_onnx::ops
