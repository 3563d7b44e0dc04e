#include "frontend/verification/float_bounds.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "frontend/verification/op_judge.h"
#include "ir/op.h"

namespace stair::verification {
namespace {

using ir::IntegerForm;
using ir::Node;
using ir::ValueId;

ValueId bound_of_move(BoundedNode& n) {
  const std::size_t moved = moved_operands(n.node());
  bool none = true;
  for (std::size_t i = 0; i < moved; ++i) none = none && n.e(i) == ir::absent;
  if (none) return ir::absent;
  std::vector<ValueId> errors;
  for (std::size_t i = 0; i < moved; ++i) errors.push_back(n.e(i) != ir::absent ? n.e(i) : n.times(n.size(i), 0));
  for (std::size_t i = moved; i < n.operand_count(); ++i) errors.push_back(n.x(i));
  ir::Attributes attributes = n.node().attributes;
  if (attributes.has("value")) attributes.set("value", 0.0);  // what is padded with is exact
  return n.again(std::move(errors), std::move(attributes));
}

ValueId bound_of_products(BoundedNode& n) {
  const IntegerForm& form = n.node().op->integer;
  const auto terms = static_cast<double>(ir::op(form.integer_op).integer.terms(n.source(), n.node()));  // of operands of the same shapes
  const auto apply = [&](ValueId a, ValueId b) { return a == ir::absent || b == ir::absent ? ir::absent : n.again({a, b}); };
  ValueId bound = n.times(apply(n.most(0), n.most(1)), (terms + 2) * float_unit);
  bound = n.sum(bound, apply(n.e(0), n.most(1)));
  bound = n.sum(bound, apply(n.most(0), n.e(1)));
  if (!form.bias || n.x(*form.bias) == ir::absent) return bound;
  // The bias is a term more, in whatever order: by what it adds to the result.
  const std::size_t bias = *form.bias;
  const std::vector<ValueId> zeros{n.times(n.x(0), 0), n.times(n.x(1), 0),
                                   n.sum(n.times(n.size(bias), (terms + 2) * float_unit), n.e(bias))};
  return n.sum(bound, n.again(zeros));
}

ValueId bound_of_average(BoundedNode& n) {
  const Node& node = n.node();
  const auto terms = static_cast<double>(ir::element_count(n.source().type(node.operands[0]).shape)) /
                     static_cast<double>(ir::element_count(n.source().type(node.results[0]).shape));
  const auto count = static_cast<double>(node.op->integer.count(n.source(), node));
  return n.sum(n.times(n.again({n.most()}), (std::max(terms, count) + 2) * float_unit), n.e() == ir::absent ? n.e() : n.again({n.e()}));
}

ValueId bound_of_activation(BoundedNode& n) {
  double slope = 1.5;
  for (const auto& [name, value] : n.node().attributes) slope = std::max(slope, std::abs(n.node().attributes.number(name)));
  return n.sum(n.times(n.e(), slope), n.times(n.sum(n.size(), n.y_size()), 8 * float_unit));
}

ValueId bound_of(BoundedNode& n) {
  const ir::OpSchema& op = *n.node().op;
  if (const OpJudge* judge = op_judges().find(op.name); judge != nullptr && judge->bound) return judge->bound(n);
  if (op.clamp) return op.attributes.empty() ? n.e() : n.sum(n.e(), n.times(n.y_size(), float_unit));  // bounds are rounded, too
  switch (op.integer.kind) {
    case IntegerForm::Kind::move:
      return bound_of_move(n);
    case IntegerForm::Kind::accumulate:
      return bound_of_products(n);
    case IntegerForm::Kind::average:
      return bound_of_average(n);
    case IntegerForm::Kind::unary:
      return bound_of_activation(n);
    default:
      throw Error("verify has no judge of the op '" + op.name + "' ('" + n.node().name + "')");
  }
}

}  // namespace

BoundedNode::BoundedNode(ir::Graph& graph, const ir::Graph& source, const Node& node, const std::vector<Bounded>& operands)
    : graph_(graph), source_(source), node_(node), operands_(operands) {
  std::vector<ValueId> values;
  for (const Bounded& operand : operands) values.push_back(operand.value);
  y_ = again(std::move(values));
}

ValueId BoundedNode::emit(std::string_view op, std::vector<ValueId> operands, ir::Attributes attributes) {
  return graph_.emit(op, std::move(operands), std::move(attributes));
}

ValueId BoundedNode::again(std::vector<ValueId> operands) {
  return again(std::move(operands), node_.attributes);
}

ValueId BoundedNode::again(std::vector<ValueId> operands, ir::Attributes attributes) {
  if (attributes.has("dtype")) attributes.set("dtype", std::string("f64"));
  return graph_.add(*node_.op, std::move(operands), std::move(attributes)).results.front();
}

ValueId magnitude(ir::Graph& graph, ValueId x) {
  return graph.emit("add", {graph.emit("relu", {x}), graph.emit("relu", {graph.emit("negate", {x})})});
}

ValueId scaled(ir::Graph& graph, ValueId x, double factor) {
  if (x == ir::absent) return x;
  return graph.emit("mul", {x, graph.emit("constant", {}, {{"value", factor}, {"dtype", std::string("f64")}})});
}

ValueId total(ir::Graph& graph, ValueId a, ValueId b) {
  if (a == ir::absent || b == ir::absent) return a == ir::absent ? b : a;
  return graph.emit("add", {a, b});
}

Bounded append_bounded(ir::Graph& graph, const ir::Graph& source, const Node& node, const std::vector<Bounded>& operands) {
  BoundedNode bounded(graph, source, node, operands);
  return {bounded.y(), bound_of(bounded)};
}

}  // namespace stair::verification
