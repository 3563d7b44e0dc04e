#include "frontend/verification/float_bounds.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "ir/error.h"
#include "ir/op.h"

namespace stair::verification {
namespace {

using ir::Attributes;
using ir::Graph;
using ir::IntegerForm;
using ir::Node;
using ir::ValueId;

class Rules {
 public:
  Rules(Graph& graph, const Graph& source, const Node& node, const std::vector<Bounded>& operands)
      : graph_(graph), source_(source), node_(node), operands_(operands) {}

  Bounded run() {
    std::vector<ValueId> values;
    for (const Bounded& operand : operands_) values.push_back(operand.value);
    y_ = again(values);
    return {y_, error()};
  }

 private:
  const std::string& op() const { return node_.op->name; }
  IntegerForm::Kind kind() const { return node_.op->integer.kind; }
  ValueId x(std::size_t i = 0) const { return i < operands_.size() ? operands_[i].value : ir::absent; }
  ValueId e(std::size_t i = 0) const { return i < operands_.size() ? operands_[i].error : ir::absent; }
  ValueId size(std::size_t i = 0) { return x(i) == ir::absent ? ir::absent : magnitude(graph_, x(i)); }
  // |x| as float32 may have it.
  ValueId most(std::size_t i = 0) { return total(graph_, size(i), e(i)); }

  ValueId emit(const char* op_name, std::vector<ValueId> operands, Attributes attributes = {}) {
    return graph_.emit(op_name, std::move(operands), std::move(attributes));
  }
  ValueId sum(ValueId a, ValueId b) { return total(graph_, a, b); }
  ValueId product(ValueId a, ValueId b) { return a == ir::absent || b == ir::absent ? ir::absent : emit("mul", {a, b}); }
  ValueId times(ValueId a, double factor) { return scaled(graph_, a, factor); }
  // The node's op on other operands.
  ValueId again(std::vector<ValueId> operands) { return graph_.emit(op(), std::move(operands), node_.attributes); }

  ValueId error() {
    if (kind() == IntegerForm::Kind::move || op() == "dropout") return moved();
    if (node_.op->clamp) return e();
    if (kind() == IntegerForm::Kind::accumulate) return products();
    if (kind() == IntegerForm::Kind::average) return averages();
    if (kind() == IntegerForm::Kind::unary) return activation();
    const ValueId rounded = times(magnitude(graph_, y_), float_unit);
    if (op() == "add" || op() == "sub") return sum(sum(e(0), e(1)), rounded);
    if (op() == "mul") return sum(sum(product(size(0), e(1)), product(most(1), e(0))), rounded);
    if (op() == "div") {
      const ValueId above = sum(e(0), product(magnitude(graph_, y_), e(1)));
      if (above == ir::absent) return rounded;
      const ValueId below = e(1) == ir::absent ? size(1) : emit("sub", {size(1), e(1)});
      return sum(emit("div", {above, below}), rounded);
    }
    if (op() == "standard_deviation") return sum(e() == ir::absent ? e() : emit("div", {e(), y_}), times(y_, 4 * float_unit));
    if (op() == "channel_affine") return affine(size(1), e(1), size(2), e(2));
    if (op() == "batch_norm_inference") return norm();
    if (op() == "softmax" || op() == "log_softmax") return softmax();
    throw Error("verify knows no bound for floats of the op '" + op() + "' ('" + node_.name + "')");
  }

  ValueId moved() {
    const bool none = std::all_of(operands_.begin(), operands_.end(), [](const Bounded& o) { return o.error == ir::absent; });
    if (none) return ir::absent;
    std::vector<ValueId> errors;
    for (const Bounded& operand : operands_)
      errors.push_back(operand.error != ir::absent ? operand.error : times(magnitude(graph_, operand.value), 0));
    Attributes attributes = node_.attributes;
    if (attributes.has("value")) attributes.set("value", 0.0);  // what is padded with is exact
    return graph_.emit(op(), std::move(errors), std::move(attributes));
  }

  ValueId products() {
    const IntegerForm& form = node_.op->integer;
    const auto terms = static_cast<double>(ir::op(form.integer_op).integer.terms(source_, node_));  // of operands of the same shapes
    const bool bias = form.bias && x(*form.bias) != ir::absent;
    const auto apply = [&](ValueId a, ValueId b) { return a == ir::absent || b == ir::absent ? ir::absent : again({a, b}); };
    ValueId bound = times(apply(most(0), most(1)), (terms + 2) * float_unit);
    bound = sum(bound, apply(e(0), most(1)));
    bound = sum(bound, apply(most(0), e(1)));
    if (!bias) return bound;
    // The bias is a term more, in whatever order: by what it adds to the result.
    const std::vector<ValueId> zeros{times(x(0), 0), times(x(1), 0), sum(times(size(2), (terms + 2) * float_unit), e(2))};
    return sum(bound, again(zeros));
  }

  ValueId averages() {
    const auto terms = static_cast<double>(ir::element_count(source_.type(node_.operands[0]).shape)) /
                       static_cast<double>(ir::element_count(source_.type(node_.results[0]).shape));
    const auto count = static_cast<double>(node_.op->integer.count(source_, node_));
    return sum(times(again({most()}), (std::max(terms, count) + 2) * float_unit), e() == ir::absent ? e() : again({e()}));
  }

  ValueId activation() {
    const double slope = node_.attributes.has("slope") ? std::abs(node_.attributes.number("slope")) : 0;
    return sum(times(e(), std::max(1.5, slope)), times(sum(size(), magnitude(graph_, y_)), 8 * float_unit));
  }

  // x * factor + shift a channel; size and error of both.
  ValueId affine(ValueId factor, ValueId factor_error, ValueId shift, ValueId shift_error) {
    const ValueId slope = sum(times(factor, 8 * float_unit), factor_error);
    const ValueId offset = sum(times(shift, 8 * float_unit), shift_error);
    ValueId bound = e() == ir::absent ? e() : emit("channel_affine", {e(), factor});
    if (slope == ir::absent && offset == ir::absent) return sum(bound, times(most(), 8 * float_unit));
    const ValueId x_size = slope == ir::absent ? times(most(), 8 * float_unit) : most();
    return sum(bound, emit("channel_affine", {x_size, slope, offset}));
  }

  ValueId norm() {
    const ValueId deviation = emit("standard_deviation", {x(4)}, {{"eps", node_.attributes.at("eps")}});
    const ValueId factor = emit("div", {size(1), deviation});
    return affine(factor, ir::absent, sum(emit("mul", {size(3), factor}), size(2)), ir::absent);
  }

  ValueId softmax() {
    const auto rank = static_cast<std::int64_t>(source_.type(node_.operands[0]).shape.size());
    std::int64_t axis = node_.attributes.integer("axis");
    if (axis < 0) axis += rank;
    const auto terms = static_cast<double>(source_.type(node_.operands[0]).shape[static_cast<std::size_t>(axis)]);
    const ValueId worst =
        e() == ir::absent ? e() : times(emit("reduce_max", {e()}, {{"axes", std::vector<std::int64_t>{axis}}, {"keep", true}}), 3);
    if (op() == "softmax") return sum(product(y_, worst), times(y_, (terms + 16) * float_unit));
    const ValueId one = emit("constant", {}, {{"value", (terms + 16) * float_unit}, {"dtype", std::string("f64")}});
    return sum(sum(times(sum(size(), magnitude(graph_, y_)), (terms + 16) * float_unit), one), worst);
  }

  Graph& graph_;
  const Graph& source_;
  const Node& node_;
  const std::vector<Bounded>& operands_;
  ValueId y_ = ir::absent;
};

}  // namespace

ValueId magnitude(Graph& graph, ValueId x) {
  return graph.emit("add", {graph.emit("relu", {x}), graph.emit("relu", {graph.emit("negate", {x})})});
}

ValueId scaled(Graph& graph, ValueId x, double factor) {
  if (x == ir::absent) return x;
  return graph.emit("mul", {x, graph.emit("constant", {}, {{"value", factor}, {"dtype", std::string("f64")}})});
}

ValueId total(Graph& graph, ValueId a, ValueId b) {
  if (a == ir::absent || b == ir::absent) return a == ir::absent ? b : a;
  return graph.emit("add", {a, b});
}

Bounded append_bounded(Graph& graph, const Graph& source, const Node& node, const std::vector<Bounded>& operands) {
  return Rules(graph, source, node, operands).run();
}

}  // namespace stair::verification
