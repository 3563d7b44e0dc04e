#pragma once

#include "ir/ops/common.h"

namespace stair::ir::ops {

// What losses over classes share.

inline const char* const loss_only = "losses are computed in float";

/// logits [N, classes] and labels i32[N] give a scalar.
inline std::vector<Type> infer_classes(const InferContext& c) {
  same_as_first_float(c);
  const Shape& x = c.shape(0);
  c.expect(x.size() == 2, "logits are " + to_string(x) + ", expected [N, classes]");
  c.expect(c.operand(1) == Type{DType::i32, {x[0]}},
           "labels are " + to_string(c.operand(1)) + ", expected " + to_string(Type{DType::i32, {x[0]}}));
  return {{c.operand(0).dtype, {}}};
}

/// Of a loss's gradient op, whose operands are dloss and then the loss's.
inline std::vector<Type> like_second(const InferContext& c) {
  return {c.operand(1)};
}

inline std::vector<OperandSpec> loss_operands() {
  return {{"logits", "[N, classes]"}, {"labels", "i32[N]"}};
}
inline std::vector<OperandSpec> loss_gradient_operands() {
  return {{"dloss", "scalar"}, {"logits", "[N, classes]"}, {"labels", "i32[N]"}};
}
inline std::vector<OperandSpec> loss_result() {
  return {reduced(Reduction::mean, "loss", "scalar, a mean over the batch")};
}

}  // namespace stair::ir::ops
