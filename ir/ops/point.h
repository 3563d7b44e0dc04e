#pragma once

#include "ir/broadcast.h"
#include "ir/ops/common.h"

namespace stair::ir::ops {

// What N-POINT operations of two quantized operands share.

inline OperandSpec range_operand() {
  return {"range", "i32[2], narrows [lo, hi]: a fused clamp", true};
}

inline std::vector<Type> infer_point_binary(const InferContext& c) {
  expect_quantized(c, 0);
  expect_quantized(c, 1);
  const auto shape = broadcast(c.shape(0), c.shape(1));
  c.expect(shape.has_value(), "shapes " + to_string(c.shape(0)) + " and " + to_string(c.shape(1)) + " don't broadcast");
  return {{quantized_dtype(c), *shape}};
}

inline std::vector<AttributeSpec> point_binary_attributes(AttributeSpec first) {
  std::vector<AttributeSpec> all{{"lo", "least integer", std::int64_t{0}, true}, {"hi", "largest integer", std::int64_t{255}, true}};
  if (!first.name.empty()) all.insert(all.begin(), std::move(first));
  return all;
}

}  // namespace stair::ir::ops
