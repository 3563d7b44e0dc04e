#pragma once

// Shape inference and texts that several ops share.

#include <algorithm>
#include <string>

#include "ir/op.h"

namespace stair::ir::ops {

inline const char* const first_order_only = "gradients of gradients aren't derived";
inline const char* const backward_only = "runs in the backward half, on floats";
inline const char* const on_parameters = "works on quantization parameters, not on quantized tensors";
inline const char* const simulated_instead = "the simulated graph carries the gradients";
inline const char* const integers_only = "works on integers: gradients flow through the simulated graph";

/// The result has the type of the first operand, which is of floats.
inline std::vector<Type> same_as_first_float(const InferContext& c) {
  c.expect(is_float(c.operand(0).dtype), "operand '" + c.op.operands[0].name + "' is " + to_string(c.operand(0)) + ", expected floats");
  return {c.operand(0)};
}

/// Element type of integers in [lo, hi]: u8 from 0 on, else s8. Fails for a range that 8 bits can't hold.
inline DType quantized_dtype(const InferContext& c) {
  const std::int64_t lo = c.attributes.integer("lo");
  const std::int64_t hi = c.attributes.integer("hi");
  c.expect(lo < hi && ((lo >= 0 && hi <= 255) || (lo >= -128 && hi <= 127)),
           "the range [" + std::to_string(lo) + ", " + std::to_string(hi) + "] fits neither 8 unsigned nor 8 signed bits");
  return lo >= 0 ? DType::u8 : DType::s8;
}

/// The axis as an index; negative counts from the end.
inline std::size_t axis_of(const InferContext& c, std::size_t rank) {
  std::int64_t axis = c.attributes.integer("axis");
  if (axis < 0) axis += static_cast<std::int64_t>(rank);
  c.expect(axis >= 0 && axis < static_cast<std::int64_t>(rank),
           "axis " + std::to_string(c.attributes.integer("axis")) + " of a tensor of rank " + std::to_string(rank));
  return static_cast<std::size_t>(axis);
}

/// Operand i has one element, or one a channel of operand 0 along `axis`.
inline void expect_per_channel(const InferContext& c, std::size_t i, std::size_t axis) {
  if (c.operands[i] == nullptr) return;
  const Shape& shape = c.shape(i);
  c.expect(axis < c.shape(0).size(), "operand '" + c.op.operands[0].name + "' is " + to_string(c.operand(0)) +
                                         ", expected channels along axis " + std::to_string(axis));
  c.expect(
      shape.size() == 1 && (shape[0] == 1 || shape[0] == c.shape(0)[axis]),
      "operand '" + c.op.operands[i].name + "' is " + to_string(shape) + ", expected [1] or [" + std::to_string(c.shape(0)[axis]) + "]");
}

/// OpSchema::multiply_accumulates of convolutions and linear layers: each element of the result sums over one output channel's weights.
/// Padding counts.
inline std::int64_t products_with_weight(const Graph& graph, const Node& node) {
  const Shape& weight = graph.type(node.operands[1]).shape;
  return element_count(graph.type(node.results.front()).shape) * element_count(weight) / weight.front();
}

/// Operand i has that element type.
inline void expect_dtype(const InferContext& c, std::size_t i, DType dtype) {
  if (c.operands[i] == nullptr) return;
  c.expect(c.operand(i).dtype == dtype,
           "operand '" + c.op.operands[i].name + "' is " + to_string(c.operand(i)) + ", expected " + std::string(name_of(dtype)));
}

/// Operand i holds 8-bit integers.
inline void expect_quantized(const InferContext& c, std::size_t i) {
  c.expect(c.operand(i).dtype == DType::s8 || c.operand(i).dtype == DType::u8,
           "operand '" + c.op.operands[i].name + "' is " + to_string(c.operand(i)) + ", expected u8 or s8");
}

/// A bit for each element of a tensor, in bytes.
inline Shape mask_shape(const Shape& shape) {
  return {(element_count(shape) + 7) / 8};
}

/// Operand i has one element.
inline void expect_single(const InferContext& c, std::size_t i) {
  c.expect(element_count(c.shape(i)) == 1,
           "operand '" + c.op.operands[i].name + "' is " + to_string(c.shape(i)) + ", expected one element");
}

}  // namespace stair::ir::ops
