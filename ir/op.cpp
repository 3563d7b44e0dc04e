#include "ir/op.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "ir/enum_names.h"

namespace stair::ir {

void InferContext::fail(const std::string& message) const {
  throw Error(op.name + " '" + node + "': " + message);
}

void InferContext::expect(bool condition, const std::string& message) const {
  if (!condition) fail(message);
}

Limits limits_of(DType dtype) {
  return with_element_type(dtype, []<class T>(T) {
    using Integer = std::conditional_t<std::is_integral_v<T>, T, std::int64_t>;
    return Limits{std::numeric_limits<Integer>::min(), std::numeric_limits<Integer>::max()};
  });
}

Limits limits_of(const Graph& graph, ValueId value) {
  bool either_sign = false;
  Limits limits = limits_of(graph.type(value).dtype);
  if (is_float(graph.type(value).dtype)) return limits;
  while (const Node* node = graph.producer(value)) {
    const auto result = static_cast<std::size_t>(graph.value(value).result);
    const OperandSpec& spec = node->op->results[result];
    const bool moved = result == 0 && node->op->integer.kind == IntegerForm::Kind::move && !node->op->operands.front().variadic;
    if (spec.within) limits = spec.within(node->attributes);
    if (spec.within || (!moved && !spec.fitted_from)) break;
    either_sign = either_sign || spec.fitted_from;
    value = node->operands[spec.fitted_from.value_or(0)];
  }
  if (either_sign) limits.high = std::max(std::abs(limits.low), std::abs(limits.high));
  return either_sign ? Limits{-limits.high, limits.high} : limits;
}

Limits DataContext::limits(std::size_t i) const {
  const TensorView& constant = constants[i];
  if (constant.data == nullptr) return computed[i];
  if (is_float(constant.type.dtype)) throw InternalError(op.name + ": limits of an operand of floats");
  return with_element_type(constant.type.dtype, [&]<class T>(T) {
    const auto [least, largest] = std::minmax_element(constant.as<T>(), constant.as<T>() + constant.count());
    return Limits{static_cast<std::int64_t>(*least), static_cast<std::int64_t>(*largest)};
  });
}

void DataContext::expect_limits(std::size_t i, std::int64_t low, std::int64_t high) const {
  if (i >= operands.size() || operands[i] == nullptr) return;
  const Limits found = limits(i);
  if (found.low >= low && found.high <= high) return;
  const std::string named = "operand '" + op.operands[i].name + "' ";
  const std::string expected = ", expected [" + std::to_string(low) + ", " + std::to_string(high) + "]";
  if (constants[i].data != nullptr) fail(named + "holds " + std::to_string(found.low < low ? found.low : found.high) + expected);
  fail(named + "is computed or fed, and may be anything" + expected + " as a constant holds it or an op of such results gives it");
}

void DataContext::expect_reals(std::size_t i, const Bounds& bounds) const {
  if (i >= operands.size() || operands[i] == nullptr || constants[i].data == nullptr) return;
  const TensorView& constant = constants[i];
  if (!is_float(constant.type.dtype)) return;
  for (std::int64_t e = 0; e < constant.count(); ++e) {
    const double x = constant.type.dtype == DType::f64 ? constant.as<double>()[e] : static_cast<double>(constant.as<float>()[e]);
    if (holds(bounds, x)) continue;
    fail("element " + std::to_string(e) + " of operand '" + op.operands[i].name + "' is " + fmt::format("{:g}", x) + ", expected " +
         to_string(bounds));
  }
}

bool is(const Node& node, std::string_view op_name) {
  return node.op == op_registry().find(op_name);
}

std::optional<OpSchema::Clamp> clamp_by(const Node& node) {
  std::optional<OpSchema::Clamp> clamp = node.op->clamp;
  if (!clamp) return clamp;
  if (node.attributes.has("low")) clamp->low = node.attributes.number("low");
  if (node.attributes.has("high")) clamp->high = node.attributes.number("high");
  return clamp;
}

std::vector<double> bounds_of(const OpSchema::Clamp& clamp) {
  std::vector<double> bounds{clamp.low.value()};
  if (clamp.high) bounds.push_back(*clamp.high);
  return bounds;
}

Attributes attributes_for(const OpSchema& op, const Attributes& attributes) {
  Attributes kept;
  for (const AttributeSpec& spec : op.attributes) {
    if (attributes.has(spec.name)) kept.set(spec.name, attributes.at(spec.name));
  }
  return kept;
}

std::vector<Type> infer_types(const OpSchema& op, const std::string& node, const Attributes& attributes,
                              std::vector<const Type*> operands) {
  operands.resize(std::max(operands.size(), op.operands.size()), nullptr);
  std::vector<Type> types = op.infer({op, node, attributes, std::move(operands)});
  if (types.size() != op.results.size()) throw InternalError(op.name + ": infer() gives another number of results than the schema");
  return types;
}

GradientContext::GradientContext(Graph& graph, NodeId node, std::vector<ValueId> gradients, std::vector<bool> needs)
    : graph_(graph), node_(node), attributes_(graph.node(node).attributes), gradients_(std::move(gradients)), needs_(std::move(needs)) {}

ValueId GradientContext::operand(std::size_t i) const {
  const Node& node = graph_.node(node_);
  if (i >= node.operands.size()) return absent;
  const ValueId value = node.operands[i];
  const Node* producer = graph_.producer(value);
  if (producer != nullptr && producer->attributes.has("backward") && producer->attributes.text("backward") == "latent") {
    return producer->operands.front();
  }
  return value;
}

ValueId GradientContext::emit(std::string_view op_name, std::vector<ValueId> operands, Attributes attributes) {
  return emit_all(op_name, std::move(operands), std::move(attributes)).front();
}

std::vector<ValueId> GradientContext::emit_all(std::string_view op_name, std::vector<ValueId> operands, Attributes attributes) {
  const std::string name = graph_.derived(graph_.node(node_).name, "grad");
  return graph_.add(op_name, std::move(operands), std::move(attributes), name).results;
}

ValueId GradientContext::reduce_to(ValueId value, const Shape& target) {
  const Shape from = graph_.type(value).shape;
  if (from == target) return value;
  std::vector<std::int64_t> axes;
  const std::size_t lead = from.size() - target.size();
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (i < lead || target[i - lead] != from[i]) axes.push_back(static_cast<std::int64_t>(i));
  }
  const ValueId sum = emit("reduce_sum", {value}, {{"axes", axes}, {"keep", true}});
  return graph_.type(sum).shape == target ? sum : emit("reshape", {sum}, {{"shape", target}});
}

namespace {

constexpr std::pair<Reduction, std::string_view> reduction_names[] = {
    {Reduction::mean, "mean"}, {Reduction::sum, "sum"}, {Reduction::min, "min"}, {Reduction::max, "max"}};

}  // namespace

std::string_view name_of(Reduction reduction) {
  return name_in(reduction_names, reduction);
}

Reduction reduction_named(std::string_view name) {
  return named_in(reduction_names, name, "reduction");
}

OperandSpec reduced(Reduction over_shards, std::string name, std::string doc) {
  return {std::move(name), std::move(doc), false, false, over_shards};
}

Gradient gradient(GradientRule rule) {
  return {std::move(rule), ""};
}
Gradient no_gradient(std::string reason) {
  return {nullptr, std::move(reason)};
}

ValueId RewriteContext::emit(std::string_view op_name, std::vector<ValueId> of, std::string_view suffix, Attributes attributes) const {
  return emit_all(op_name, std::move(of), suffix, std::move(attributes)).front();
}

std::vector<ValueId> RewriteContext::emit_all(std::string_view op_name, std::vector<ValueId> of, std::string_view suffix,
                                              Attributes attributes) const {
  return graph.add(op_name, std::move(of), std::move(attributes), graph.derived(node.name, suffix)).results;
}

IntegerForm no_integer_form(std::string reason) {
  return {IntegerForm::Kind::none, std::move(reason)};
}
IntegerForm integer_op() {
  return {IntegerForm::Kind::integer, "part of the integer arithmetic"};
}
IntegerForm sums_integers(std::vector<IntegerForm::Factor> factors, std::function<std::int64_t(const Graph&, const Node&)> terms) {
  IntegerForm form = integer_op();
  form.factors = std::move(factors);
  form.terms = std::move(terms);
  return form;
}
IntegerForm moves(std::string integer_op, std::function<bool(const Attributes&)> applies) {
  return {.kind = IntegerForm::Kind::move, .note = "N-MOVE", .integer_op = std::move(integer_op), .applies = std::move(applies)};
}
IntegerForm moves_weights() {
  IntegerForm form = moves();
  form.of_weights = true;
  return form;
}
IntegerForm keeps_order() {
  return {.kind = IntegerForm::Kind::order, .note = "an order of integers is that of what they stand for"};
}
IntegerForm unary_table(std::string function) {
  return {.kind = IntegerForm::Kind::unary, .note = "N-POINT", .function = std::move(function)};
}
IntegerForm accumulates(std::string integer_op, std::int64_t channel_axis, std::optional<std::size_t> bias) {
  return {.kind = IntegerForm::Kind::accumulate,
          .note = "N-ACC",
          .integer_op = std::move(integer_op),
          .bias = bias,
          .channel_axis = channel_axis};
}
IntegerForm integer_rows(std::string clause, std::function<ValueId(const RewriteContext&, const Simulated& x, const Simulated& y)> rows) {
  return {.kind = IntegerForm::Kind::rows, .note = std::move(clause), .rows = std::move(rows)};
}
IntegerForm simulates(std::function<Simulated(const RewriteContext&)> simulated) {
  return {.kind = IntegerForm::Kind::quantizer, .note = "simulates integers", .simulated = std::move(simulated)};
}
IntegerForm averages(std::string integer_op, std::function<std::int64_t(const Graph&, const Node&)> count) {
  return {.kind = IntegerForm::Kind::average, .note = "N-AVG", .integer_op = std::move(integer_op), .count = std::move(count)};
}

std::size_t moved_operands(const Node& node) {
  return node.op->operands.front().variadic ? node.operands.size() : 1;
}

std::int64_t multiply_accumulates(const Graph& graph, const Node& node) {
  return node.op->multiply_accumulates == nullptr ? 0 : node.op->multiply_accumulates(graph, node);
}

const OpSchema& op(std::string_view name) {
  if (const OpSchema* schema = op_registry().find(name)) return *schema;
  throw Error("unknown op '" + std::string(name) + "'" + did_you_mean(name, op_registry().names()));
}

}  // namespace stair::ir
