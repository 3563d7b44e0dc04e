#pragma once

#include "ir/ops/common.h"

namespace stair::ir::ops {

// What the optimizers' updates share.

inline const char* const update_only = "an update, behind the gradients";

/// Operands w, gradient, learning rate, …; `results` results like w.
inline std::vector<Type> like_weights(const InferContext& c, std::size_t results) {
  same_as_first_float(c);
  c.expect(c.operand(1) == c.operand(0), "gradient is " + to_string(c.operand(1)) + ", weights are " + to_string(c.operand(0)));
  expect_single(c, 2);
  return std::vector<Type>(results, c.operand(0));
}

inline AttributeSpec weight_decay() {
  return {"weight_decay", "lambda of L2 decay: g + lambda w", 0.0};
}

/// w, g and lr, then the op's own.
inline std::vector<OperandSpec> update_operands(std::vector<OperandSpec> more = {}) {
  more.insert(more.begin(), {{"w", "parameters"}, {"g", "their gradient"}, {"lr", "learning rate, f32[1]"}});
  return more;
}

}  // namespace stair::ir::ops
