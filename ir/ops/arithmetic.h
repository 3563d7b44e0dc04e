#pragma once

#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

// What operations of two broadcast operands share.

inline std::vector<Type> infer_broadcast(const InferContext& c) {
  same_as_first_float(c);
  expect_dtype(c, 1, c.operand(0).dtype);
  return {{c.operand(0).dtype, broadcast_shape(c)}};
}

/// The integer form of a sum (or difference): one kernel for all, and one in integers that takes the scales' quotients.
inline IntegerForm point_sum(const char* function, bool subtract) {
  return {.kind = IntegerForm::Kind::binary,
          .note = "N-POINT",
          .integer_op = "add_fixed",
          .attributes =
              [subtract](const Attributes&) {
                return Attributes{{"subtract", subtract}};
              },
          .function = function,
          .multipliers =
              [](const RewriteContext& c, ValueId a_scale, ValueId b_scale, ValueId y_scale) {
                return c.emit_all("add_fixed_multipliers", {a_scale, b_scale, y_scale}, "mantissa");
              }};
}

inline void add_binary(OpRegistry& registry, const char* name, const char* summary, GradientRule rule, IntegerForm integer, bool layer) {
  registry.add({.name = name,
                .summary = summary,
                .operands = {{"a", "floats"}, {"b", "floats; shapes broadcast"}},
                .results = {{"y", "of the broadcast shape"}},
                .infer = infer_broadcast,
                .deployed = layer,
                .gradient = gradient(std::move(rule)),
                .integer = std::move(integer),
                .dimensions = each_element,
                .layer = layer ? std::optional(OpSchema::Layer{}) : std::nullopt});
}

/// The gradient of an operand, summed over what broadcasting repeated.
inline ValueId reduced(GradientContext& g, std::size_t operand, ValueId value) {
  const Shape shape = g.type(g.operand(operand)).shape;
  return g.reduce_to(value, shape);
}

}  // namespace stair::ir::ops
