#pragma once

#include <cstdint>
#include <vector>

#include "frontend/verification/onnx/operator.h"

namespace stair::verification::onnx {

/// Whether the integer's magnitude is no larger than that.
inline bool is_within(std::int64_t q, std::int64_t most) {
  return -most <= q && q <= most;
}

/// Integers from which zero points are subtracted. `zeros`: one, or one an index of dimension `axis`. Error unless the results have 16
/// bits.
Value centred(const NodeRun& run, const Value& x, const std::vector<std::int64_t>& zeros, std::size_t axis);
/// The zero points that are input i of the node, of 16 bits at most; 0 where there is none.
std::vector<std::int64_t> zeros_at(const NodeRun& run, std::size_t i);
/// The same where there is one for all.
std::int64_t one_zero(const NodeRun& run, std::size_t i);
/// The scales that are input i of the node: f32, one or a list.
std::vector<float> scales_at(const NodeRun& run, std::size_t i);

/// Σ x · w over the window that the node's attributes say, exact: [N,O,...] of x [N,C,...] and w [O,C/group,...] with one or two sides.
Value convolved(NodeRun& run, const Value& x, const Value& w);
/// The matrix product of integers [...,M,K] and [...,K,N], exact, with what is in front broadcast as in NumPy.
Value multiplied(const NodeRun& run, const Value& a, const Value& b);
/// Two dimensions of integers exchanged.
Value transposed(const NodeRun& run, const Value& x);

/// int32 sums and their bias, as they are in `sums`: those of x and w, which have no zero points any more. `weights`: w as they are kept.
Value recorded(NodeRun& run, Value sum, const Value& weights, const std::vector<std::int64_t>& bias, std::size_t axis);
/// Sums as floats: the integers times the step that is the product of both scales.
Value in_steps(NodeRun& run, Value sum, float x_scale, const std::vector<float>& w_scale, std::size_t axis);
/// QuantizeLinear of integers times a scale: round(q · (scale / y_scale)) + zero point, which is kept as the sum's multiplier.
Value requantized(NodeRun& run, const Value& x, const std::vector<float>& y_scale, const std::vector<std::int64_t>& y_zero,
                  std::size_t axis, ElementType type);
/// round(t) + zero point, limited to the type.
std::int64_t placed(float t, std::int64_t zero_point, Limits limits);

}  // namespace stair::verification::onnx
