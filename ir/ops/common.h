#pragma once

// Shape inference and texts that several ops share.

#include <string>

#include "ir/broadcast.h"
#include "ir/op.h"

namespace stair::ir::ops {

inline const char* const works_on_parameters = "works on quantization parameters, not on quantized tensors";
inline const char* const simulated_instead = "the simulated graph carries the gradients";
inline const char* const integers_only = "works on integers: gradients flow through the simulated graph";

/// The op with what all ops say of gradient and integer form that gradient rules emit.
inline OpSchema of_backward(OpSchema op) {
  op.gradient = no_gradient("gradients of gradients aren't derived");
  op.integer = no_integer_form("runs in the backward half, on floats");
  return op;
}

/// The same of ops on scales, ranges and what is made of them, which have no gradient for that reason.
inline OpSchema on_parameters(OpSchema op, const char* reason) {
  op.gradient = no_gradient(reason);
  op.integer = no_integer_form(works_on_parameters);
  return op;
}

/// The same of ops of the integer arithmetic that sum nothing.
inline OpSchema on_integers(OpSchema op) {
  op.gradient = no_gradient(integers_only);
  op.integer = integer_op();
  return op;
}

/// fail() unless the condition holds for operand i, an optional one.
inline void expect_operand(const InferContext& c, std::size_t i, bool holds, const std::string& expected) {
  c.expect(holds, "operand '" + c.op.operands[i].name + "' is " + to_string(c.operand(i)) + ", expected " + expected);
}

/// Operand i, where it is there, has that type.
inline void expect_type(const InferContext& c, std::size_t i, const Type& type) {
  if (i < c.operands.size() && c.operands[i] != nullptr) expect_operand(c, i, c.operand(i) == type, to_string(type));
}

/// Operand i, where it is there, has that element type.
inline void expect_dtype(const InferContext& c, std::size_t i, DType dtype) {
  if (i < c.operands.size() && c.operands[i] != nullptr) expect_operand(c, i, c.operand(i).dtype == dtype, std::string(name_of(dtype)));
}

/// Operand i holds 8-bit integers.
inline void expect_quantized(const InferContext& c, std::size_t i) {
  expect_operand(c, i, c.operand(i).dtype == DType::s8 || c.operand(i).dtype == DType::u8, "u8 or s8");
}

/// Operand i holds what has an order: floats or 8-bit integers.
inline void expect_ordered(const InferContext& c, std::size_t i) {
  const DType dtype = c.operand(i).dtype;
  expect_operand(c, i, is_float(dtype) || dtype == DType::s8 || dtype == DType::u8, "floats, u8 or s8");
}

/// The attribute as a shape: dimensions of at least 1, and no more elements than a value may have.
inline const Shape& shape_attribute(const InferContext& c, const std::string& name) {
  const Shape& shape = c.attributes.integers(name);
  c.expect(is_valid(shape), name + " is " + to_string(shape) + ", expected " + std::string(expected_shape));
  return shape;
}

/// Operand i is a zero point.
inline void expect_zero_point(const InferContext& c, std::size_t i) {
  expect_type(c, i, {DType::i32, {1}});
}

/// The result has the type of the first operand, which is of floats.
inline std::vector<Type> same_as_first_float(const InferContext& c) {
  expect_operand(c, 0, is_float(c.operand(0).dtype), "floats");
  return {c.operand(0)};
}

/// The same, where operands 1 to `last` have that type, too.
inline std::vector<Type> same_floats(const InferContext& c, std::size_t last) {
  for (std::size_t i = 1; i <= last; ++i) expect_type(c, i, c.operand(0));
  return same_as_first_float(c);
}

/// [lo, hi] of a quantizing node, and its other attributes.
inline std::vector<AttributeSpec> range_attributes(std::vector<AttributeSpec> more = {}) {
  more.insert(more.begin(), {{"lo", "least integer", std::int64_t{0}, true, within(-128, 255)},
                             {"hi", "largest integer", std::int64_t{255}, true, within(-128, 255)}});
  return more;
}

/// OperandSpec::within of a result whose integers lie in [lo, hi].
inline Limits within_range(const Attributes& attributes) {
  return {attributes.integer("lo"), attributes.integer("hi")};
}
inline OperandSpec quantized_result(const char* name, const char* doc = "u8 where lo >= 0, else s8") {
  return {.name = name, .doc = doc, .within = within_range};
}

/// Element type of integers in [lo, hi]: u8 from 0 on, else s8. Fails for a range that 8 bits can't hold.
inline DType quantized_dtype(const InferContext& c) {
  const std::int64_t lo = c.attributes.integer("lo");
  const std::int64_t hi = c.attributes.integer("hi");
  c.expect(lo < hi && ((lo >= 0 && hi <= 255) || (lo >= -128 && hi <= 127)),
           "the range [" + std::to_string(lo) + ", " + std::to_string(hi) + "] fits neither 8 unsigned nor 8 signed bits");
  return lo >= 0 ? DType::u8 : DType::s8;
}

/// An axis as an index; negative counts from the end.
inline std::size_t index_of(const InferContext& c, std::int64_t axis, std::size_t rank) {
  const std::int64_t index = axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis;
  c.expect(index >= 0 && index < static_cast<std::int64_t>(rank),
           "axis " + std::to_string(axis) + " of a tensor of rank " + std::to_string(rank));
  return static_cast<std::size_t>(index);
}
/// That of the attribute.
inline std::size_t axis_of(const InferContext& c, std::size_t rank) {
  return index_of(c, c.attributes.integer("axis"), rank);
}

/// The shape that operands 0 and 1 broadcast to.
inline Shape broadcast_shape(const InferContext& c) {
  const std::optional<Shape> shape = ir::broadcast(c.shape(0), c.shape(1));
  c.expect(shape.has_value(), "shapes " + to_string(c.shape(0)) + " and " + to_string(c.shape(1)) + " don't broadcast");
  return *shape;
}

/// Scales of weights, operand 0 with the output channels first: one for each, or one for all, as the attribute per_channel says.
inline Type scales_of_weights(const InferContext& c) {
  same_as_first_float(c);
  c.expect(!c.shape(0).empty(), "w is " + to_string(c.operand(0)) + ", expected output channels first");
  return {c.operand(0).dtype, {c.attributes.boolean("per_channel") ? c.shape(0)[0] : 1}};
}

/// Operand i has one element, or one a channel of operand 0 along `axis`.
inline void expect_per_channel(const InferContext& c, std::size_t i, std::size_t axis, DType dtype) {
  if (i >= c.operands.size() || c.operands[i] == nullptr) return;
  expect_dtype(c, i, dtype);
  const Shape& shape = c.shape(i);
  expect_operand(c, 0, axis < c.shape(0).size(), "channels along axis " + std::to_string(axis));
  c.expect(
      shape.size() == 1 && (shape[0] == 1 || shape[0] == c.shape(0)[axis]),
      "operand '" + c.op.operands[i].name + "' is " + to_string(shape) + ", expected [1] or [" + std::to_string(c.shape(0)[axis]) + "]");
}

/// The attribute of ops that accumulate (IntegerForm).
inline AttributeSpec quantize_attribute() {
  return {"quantize", "false keeps the node in float under every recipe", true};
}

/// IntegerForm::terms of sums with weights in operand 1: those of an output channel.
inline std::int64_t weights_of_channel(const Graph& graph, const Node& node) {
  const Shape& weight = graph.type(node.operands[1]).shape;
  return element_count(weight) / weight.front();
}

/// OpSchema::multiply_accumulates of convolutions and linear layers: each element of the result sums over one output channel's weights.
/// Padding counts.
inline std::int64_t products_with_weight(const Graph& graph, const Node& node) {
  return element_count(graph.type(node.results.front()).shape) * weights_of_channel(graph, node);
}

/// A bit for each element of a tensor, in bytes.
inline Shape mask_shape(const Shape& shape) {
  return {(element_count(shape) + 7) / 8};
}

/// The attribute `clamp` holds from `fewest` to two bounds in order.
inline void expect_clamp(const InferContext& c, std::size_t fewest) {
  const std::vector<double>& clamp = c.attributes.numbers("clamp");
  c.expect(clamp.size() >= fewest && clamp.size() <= 2 && (clamp.size() < 2 || clamp[0] <= clamp[1]),
           "clamp has " + std::to_string(clamp.size()) + " bounds, expected " + (fewest == 0 ? "[], " : "") +
               "[low] or [low, high], the least first");
}

/// For OpSchema::check_data: the zero point in operand i is one of the integers that operand q may hold.
inline void check_zero_point(const DataContext& c, std::size_t i, std::size_t q) {
  const bool is_signed = c.operand(q).dtype == DType::s8;
  c.expect_limits(i, is_signed ? -128 : 0, is_signed ? 127 : 255);
}

/// The same for a node that quantizes: the zero point in operand i lies in its [lo, hi], as does the range of a fused clamp in operand
/// `range`, which the op may not have.
inline void check_quantizer(const DataContext& c, std::size_t i, std::size_t range = ~std::size_t{0}) {
  const std::int64_t lo = c.attributes.integer("lo");
  const std::int64_t hi = c.attributes.integer("hi");
  c.expect_limits(i, lo, hi);
  c.expect_limits(range, lo, hi);
  if (range >= c.operands.size() || c.constants[range].data == nullptr) return;
  const auto* ends = c.constants[range].as<std::int32_t>();
  c.expect(ends[0] <= ends[1],
           "operand 'range' is [" + std::to_string(ends[0]) + ", " + std::to_string(ends[1]) + "], expected the least integer first");
}

/// The same: the scales in operand i are positive.
inline void check_scale(const DataContext& c, std::size_t i) {
  c.expect_reals(i, above(0));
}

/// Fixed-point multipliers as results (N-REQ-FIXED), of that type.
inline std::vector<OperandSpec> multiplier_results(const char* type) {
  return {{.name = "mantissa",
           .doc = type,
           .within =
               [](const Attributes&) {
                 return Limits{0, limits_of(DType::i32).high};
               }},
          {.name = "shift", .doc = type, .within = [](const Attributes&) {
             return Limits{-31, 30};
           }}};
}

/// The same: operands i and i + 1 are mantissas and shifts of fixed-point multipliers (N-REQ-FIXED).
inline void check_multipliers(const DataContext& c, std::size_t i) {
  c.expect_limits(i, 0, limits_of(DType::i32).high);
  c.expect_limits(i + 1, -31, 30);
}

}  // namespace stair::ir::ops
