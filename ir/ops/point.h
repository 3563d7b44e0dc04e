#pragma once

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
  const Shape shape = broadcast_shape(c);
  return {{quantized_dtype(c), shape}};
}

/// An operation in integers with so many multipliers (mantissa and shift, N-REQ-FIXED) and attributes beside the range.
inline OpSchema point_fixed(std::string name, std::string summary, std::int64_t multipliers, std::string mantissa_doc,
                            std::vector<AttributeSpec> attributes) {
  const std::string type = "i32[" + std::to_string(multipliers) + "]";
  return {.name = std::move(name),
          .summary = std::move(summary),
          .operands = {{"a", "u8 or s8"},
                       {"b", "u8 or s8"},
                       {"a_zero_point", "i32[1]"},
                       {"b_zero_point", "i32[1]"},
                       {"mantissa", type + std::move(mantissa_doc)},
                       {"shift", type},
                       {"y_zero_point", "i32[1]"},
                       range_operand()},
          .results = {quantized_result("y")},
          .attributes = range_attributes(std::move(attributes)),
          .infer =
              [multipliers](const InferContext& c) {
                for (const std::size_t operand : {4U, 5U}) expect_type(c, operand, {DType::i32, {multipliers}});
                return infer_point_binary(c, {2, 3, 6});
              },
          .check_data =
              [](const DataContext& c) {
                check_zero_point(c, 2, 0);
                check_zero_point(c, 3, 1);
                check_multipliers(c, 4);
                check_quantizer(c, 6, 7);
              },
          .deployed = true,
          .gradient = no_gradient(integers_only),
          .integer = integer_op(),
          .channels_last = OpSchema::ChannelsLast{.images = 2}};
}

}  // namespace stair::ir::ops
