#pragma once

#include <vector>

#include "ir/graph.h"

namespace stair::verification {

/// Unit roundoff of float32, 2^-24: an operation that is rounded on its own gives x (1 + d), |d| <= u. With a thousandth more, for the
/// products of several such factors.
inline constexpr double float_unit = 1.001 * 0x1p-24;

/// A value of a graph in double precision, and a value of the same shape that says how far float32 may be from it at most; absent: not
/// at all.
struct Bounded {
  ir::ValueId value = ir::absent, error = ir::absent;
};

/// Appends the node, an op on floats, in double precision, and the bound of what the same op gives in float32 on operands that are as far
/// off as theirs say, whatever the order of its sums (Higham, Accuracy and Stability of Numerical Algorithms, 2002, chapter 3), with
/// u = float_unit, |x| at most what the bound of x allows, and n the terms of a sum:
///   moves, maxima          the bound moves along
///   clamps                 e(x)
///   a + b, a - b           e(a) + e(b) + u |y|
///   a * b                  |a| e(b) + |b| e(a) + e(a) e(b) + u |y|
///   a / b                  (e(a) + |y| e(b)) / (|b| - e(b)) + u |y|
///   sums of products       (n + 2) u Σ |a| |b|  +  Σ (e(a) |b| + |a| e(b) + e(a) e(b))
///   averages, sums         (n + 2) u |x| summed alike  +  e(x) summed alike
///   batch-norm, affine     as the products and sums that they are, 8 roundings
///   activations            1.5 e(x) + 8 u (|x| + |y|): slopes are at most 1.13 (GELU), 1.5 (hard swish), or leaky ReLU's own
///   softmax                y (3 max e(x) + (n + 16) u): a logarithm's error is a factor's; e(x) at most 0.5
///   log-softmax            3 max e(x) + (n + 16) u (1 + |x| + |y|)
/// Error where the op has no rule: a new one has to state its own.
Bounded append_bounded(ir::Graph& graph, const ir::Graph& source, const ir::Node& node, const std::vector<Bounded>& operands);

/// Parts that others are made of: |x|, x * factor; sums where absent is 0.
ir::ValueId magnitude(ir::Graph& graph, ir::ValueId x);
ir::ValueId scaled(ir::Graph& graph, ir::ValueId x, double factor);
ir::ValueId total(ir::Graph& graph, ir::ValueId a, ir::ValueId b);

}  // namespace stair::verification
