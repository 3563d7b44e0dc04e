#pragma once

#include "ir/histogram.h"
#include "ir/ops/observer.h"

namespace stair::ir::ops {

// What ops on histograms of activations share (ir/histogram.h).

inline std::vector<Type> range_of_histogram(const InferContext& c) {
  expect_operand(c, 0, is_float(c.operand(0).dtype) && c.shape(0) == Shape{histogram::bins},
                 "a histogram of " + std::to_string(histogram::bins) + " bins");
  const Type bound{c.operand(0).dtype, {1}};
  return {bound, bound};
}
inline std::vector<OperandSpec> range_results() {
  return {{"min", "f32[1]; +inf where nothing has been seen"}, {"max", "f32[1]; -inf where nothing has been seen"}};
}

}  // namespace stair::ir::ops
