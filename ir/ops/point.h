#pragma once

#include "ir/broadcast.h"
#include "ir/ops/common.h"

namespace stair::ir::ops {

// What N-POINT operations of two quantized operands share.

inline OperandSpec range_operand() {
  return {"range", "i32[2], narrows [lo, hi]: a fused clamp", true};
}

/// Operands a and b, the parameters, and last the range.
inline std::vector<Type> infer_point_binary(const InferContext& c, std::initializer_list<std::size_t> zero_points) {
  expect_quantized(c, 0);
  expect_quantized(c, 1);
  for (const std::size_t i : zero_points) expect_zero_point(c, i);
  expect_type(c, c.op.operands.size() - 1, {DType::i32, {2}});
  const auto shape = broadcast(c.shape(0), c.shape(1));
  c.expect(shape.has_value(), "shapes " + to_string(c.shape(0)) + " and " + to_string(c.shape(1)) + " don't broadcast");
  return {{quantized_dtype(c), *shape}};
}

inline std::vector<AttributeSpec> point_binary_attributes(AttributeSpec first) {
  return first.name.empty() ? range_attributes() : range_attributes({std::move(first)});
}

}  // namespace stair::ir::ops
