#pragma once

// Shape inference and texts that several ops share.

#include "ir/op.h"

namespace stair::ir::ops {

inline const char* const first_order_only = "gradients of gradients aren't derived";
inline const char* const backward_only = "runs in the backward half, on floats";
inline const char* const on_parameters = "works on quantization parameters, not on quantized tensors";

/// The result has the type of the first operand, which is of floats.
inline std::vector<Type> same_as_first_float(const InferContext& c) {
  c.expect(is_float(c.operand(0).dtype), "operand '" + c.op.operands[0].name + "' is " + to_string(c.operand(0)) + ", expected floats");
  return {c.operand(0)};
}

}  // namespace stair::ir::ops
