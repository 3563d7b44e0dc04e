#pragma once

#include "ir/ops/common.h"

namespace stair::ir::ops {

// What observers share.

inline const char* const ranges_follow_data = "ranges follow the data, not the loss";

inline std::vector<Type> infer_observer(const InferContext& c) {
  same_as_first_float(c);
  for (const std::size_t bound : {1U, 2U}) expect_type(c, bound, {c.operand(0).dtype, {1}});
  return {c.operand(1), c.operand(2)};
}

inline std::vector<OperandSpec> observer_operands() {
  return {{"x", "floats"}, {"min", "f32[1], +inf: nothing seen"}, {"max", "f32[1], -inf: nothing seen"}};
}
inline std::vector<OperandSpec> observer_results() {
  return {reduced(Reduction::min, "min", "the new least"), reduced(Reduction::max, "max", "the new largest")};
}

}  // namespace stair::ir::ops
