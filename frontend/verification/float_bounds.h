#pragma once

#include <string_view>
#include <utility>
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

/// Parts that others are made of: |x|, x * factor; sums where absent is 0.
ir::ValueId magnitude(ir::Graph& graph, ir::ValueId x);
ir::ValueId scaled(ir::Graph& graph, ir::ValueId x, double factor);
ir::ValueId total(ir::Graph& graph, ir::ValueId a, ir::ValueId b);

/// A node of floats, of which a judge says the bound: it appends nodes to a graph in double precision. Absent values are 0.
class BoundedNode {
 public:
  BoundedNode(ir::Graph& graph, const ir::Graph& source, const ir::Node& node, const std::vector<Bounded>& operands);

  const ir::Graph& source() const { return source_; }
  const ir::Node& node() const { return node_; }
  ir::ValueId x(std::size_t i = 0) const { return i < operands_.size() ? operands_[i].value : ir::absent; }
  ir::ValueId e(std::size_t i = 0) const { return i < operands_.size() ? operands_[i].error : ir::absent; }
  std::size_t operand_count() const { return operands_.size(); }
  ir::ValueId y() const { return y_; }
  ir::ValueId size(std::size_t i = 0) { return x(i) == ir::absent ? ir::absent : magnitude(graph_, x(i)); }
  ir::ValueId y_size() { return magnitude(graph_, y_); }
  /// |x| as float32 may have it.
  ir::ValueId most(std::size_t i = 0) { return sum(size(i), e(i)); }
  ir::ValueId sum(ir::ValueId a, ir::ValueId b) { return total(graph_, a, b); }
  ir::ValueId times(ir::ValueId a, double factor) { return scaled(graph_, a, factor); }
  ir::ValueId product(ir::ValueId a, ir::ValueId b) { return a == ir::absent || b == ir::absent ? ir::absent : emit("mul", {a, b}); }
  ir::ValueId quotient(ir::ValueId a, ir::ValueId b) { return a == ir::absent ? ir::absent : emit("div", {a, b}); }
  ir::ValueId emit(std::string_view op, std::vector<ir::ValueId> operands, ir::Attributes attributes = {});
  /// The node's op on other operands.
  ir::ValueId again(std::vector<ir::ValueId> operands);
  ir::ValueId again(std::vector<ir::ValueId> operands, ir::Attributes attributes);

 private:
  ir::Graph& graph_;
  const ir::Graph& source_;
  const ir::Node& node_;
  const std::vector<Bounded>& operands_;
  ir::ValueId y_ = ir::absent;
};

/// Appends the node, an op on floats, in double precision, and the bound of what the same op gives in float32 on operands that are as far
/// off as theirs say, whatever the order of its sums (Higham, Accuracy and Stability of Numerical Algorithms, 2002, chapter 3), with
/// u = float_unit, |x| at most what the bound of x allows, and n the terms of a sum:
///   moves, maxima          the bound moves along
///   clamps                 e(x), and u |y| where their bounds are attributes
///   sums of products       (n + 2) u Σ |a| |b|  +  Σ (e(a) |b| + |a| e(b) + e(a) e(b))
///   averages, sums         (n + 2) u |x| summed alike  +  e(x) summed alike
///   activations            1.5 e(x) + 8 u (|x| + |y|): slopes are at most 1.13 (GELU), 1.5 (hard swish), or an attribute (leaky ReLU,
///                          ELU); of those whose slope has no bound a judge says more
/// or what their judges say (OpJudge::bound). Error for another op of which none does: a new one has to state its own.
Bounded append_bounded(ir::Graph& graph, const ir::Graph& source, const ir::Node& node, const std::vector<Bounded>& operands);

}  // namespace stair::verification
