#pragma once

#include "ir/ops/common.h"

namespace stair::ir::ops {

// What the optimizers' updates share.

/// The op with what all updates say of gradient and integer form.
inline OpSchema of_update(OpSchema op) {
  constexpr const char* reason = "an update, behind the gradients";
  op.gradient = no_gradient(reason);
  op.integer = no_integer_form(reason);
  return op;
}

/// Operands w, gradient, learning rate, and a slot like w for each result but the first; `results` results like w.
inline std::vector<Type> like_weights(const InferContext& c, std::size_t results) {
  same_floats(c, 1);
  expect_type(c, 2, {c.operand(0).dtype, {1}});
  for (std::size_t slot = 3; slot < results + 2; ++slot) expect_type(c, slot, c.operand(0));
  return std::vector<Type>(results, c.operand(0));
}

inline AttributeSpec weight_decay() {
  return {"weight_decay", "lambda of L2 decay: g + lambda w", 0.0, false, at_least(0)};
}

/// w, g and lr, then the op's own.
inline std::vector<OperandSpec> update_operands(std::vector<OperandSpec> more = {}) {
  more.insert(more.begin(), {{"w", "parameters"}, {"g", "their gradient"}, {"lr", "learning rate, f32[1]"}});
  return more;
}

}  // namespace stair::ir::ops
