#pragma once

#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"
#include "ir/ops/layout.h"

namespace stair::ir::ops {

inline std::vector<AttributeSpec> reduction_attributes() {
  return {{"axes", "dimensions that are summed over; negative ones count from the end", std::vector<std::int64_t>{}, true},
          {"keep", "keep them as dimensions of 1", false}};
}

/// By dimension: whether it is reduced.
inline std::vector<bool> reduced_axes(const Attributes& attributes, std::size_t rank) {
  std::vector<bool> reduced(rank, false);
  for (std::int64_t axis : attributes.integers("axes")) {
    if (axis < 0) axis += static_cast<std::int64_t>(rank);
    if (axis >= 0 && axis < static_cast<std::int64_t>(rank)) reduced[static_cast<std::size_t>(axis)] = true;
  }
  return reduced;
}

/// What is left of the shape x.
inline Shape infer_reduction(const InferContext& c, const Shape& x) {
  const auto rank = static_cast<std::int64_t>(x.size());
  const std::vector<std::int64_t>& axes = c.attributes.integers("axes");
  for (const std::int64_t axis : axes) {
    c.expect(axis >= -rank && axis < rank, "axis " + std::to_string(axis) + " of x " + to_string(x));
  }
  const std::vector<bool> reduced = reduced_axes(c.attributes, x.size());
  c.expect(std::count(reduced.begin(), reduced.end(), true) == static_cast<std::ptrdiff_t>(axes.size()),
           "axes are " + to_string(axes) + ", expected each once");
  Shape shape;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!reduced[i]) {
      shape.push_back(x[i]);
    } else if (c.attributes.boolean("keep")) {
      shape.push_back(1);
    }
  }
  return shape;
}

/// Elements that become one.
inline std::int64_t reduced_count(const Graph& graph, const Node& node) {
  return element_count(graph.type(node.operands[0]).shape) / element_count(graph.type(node.results[0]).shape);
}

/// OpSchema::dimensions of reductions.
inline Dimensions beside_reduced(const InferContext& c) {
  Dimensions all = each_element(c);
  const std::vector<bool> reduced = reduced_axes(c.attributes, all[0].size());
  std::int64_t next = 0;
  for (std::size_t d = 0; d < reduced.size(); ++d) {
    all[0][d] = reduced[d] ? absent : next;
    if (!reduced[d] || c.attributes.boolean("keep")) ++next;
  }
  return all;
}

/// Shape of a reduction of floats.
inline std::vector<Type> infer_float_reduction(const InferContext& c) {
  same_as_first_float(c);
  return {{c.operand(0).dtype, infer_reduction(c, c.shape(0))}};
}

/// The gradient of a sum: dy, repeated over what was reduced.
inline ValueId spread(GradientContext& g, ValueId value) {
  const Shape shape = g.type(g.operand(0)).shape;
  // With the reduced dimensions back as 1, so that it broadcasts to x.
  Shape kept = shape;
  const std::vector<bool> reduced = reduced_axes(g.attributes(), shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (reduced[i]) kept[i] = 1;
  }
  return g.emit("broadcast", {g.emit("reshape", {value}, {{"shape", kept}})}, {{"shape", shape}});
}

}  // namespace stair::ir::ops
