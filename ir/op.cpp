#include "ir/op.h"

#include <algorithm>
#include <utility>

namespace stair::ir {

namespace ops {
void register_all(OpRegistry& registry);  // generated from the files of ir/ops
}

void InferContext::fail(const std::string& message) const {
  throw Error(op.name + " '" + node + "': " + message);
}

void InferContext::expect(bool condition, const std::string& message) const {
  if (!condition) fail(message);
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

std::size_t GradientContext::operand_count() const {
  return graph_.node(node_).operands.size();
}

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

ValueId GradientContext::result(std::size_t i) const {
  return graph_.node(node_).results[i];
}
ValueId GradientContext::gradient(std::size_t i) const {
  return gradients_[i];
}
bool GradientContext::needs(std::size_t i) const {
  return i < needs_.size() && needs_[i];
}
Type GradientContext::type(ValueId value) const {
  return graph_.type(value);
}

ValueId GradientContext::emit(std::string_view op_name, std::vector<ValueId> operands, Attributes attributes) {
  return emit_all(op_name, std::move(operands), std::move(attributes)).front();
}

std::vector<ValueId> GradientContext::emit_all(std::string_view op_name, std::vector<ValueId> operands, Attributes attributes) {
  const std::string name = graph_.node(node_).name + ".grad";
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
  for (const auto& [known, name] : reduction_names) {
    if (known == reduction) return name;
  }
  throw InternalError("a reduction that has no name");
}

Reduction reduction_named(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [reduction, known] : reduction_names) {
    if (known == name) return reduction;
    names.emplace_back(known);
  }
  throw Error("unknown reduction '" + std::string(name) + "'" + did_you_mean(std::string(name), names) + ", expected " + one_of(names));
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

IntegerForm no_integer_form(std::string reason) {
  return {IntegerForm::Kind::none, std::move(reason), "", {}};
}
IntegerForm integer_op() {
  return {IntegerForm::Kind::integer, "part of the integer arithmetic", "", {}};
}
IntegerForm moves() {
  return {IntegerForm::Kind::move, "N-MOVE", "", {}};
}
IntegerForm unary_table() {
  return {IntegerForm::Kind::unary, "N-POINT", "", {}};
}
IntegerForm binary_point() {
  return {IntegerForm::Kind::binary, "N-POINT", "", {}};
}
IntegerForm accumulates(std::string integer_op) {
  return {IntegerForm::Kind::accumulate, "N-ACC", std::move(integer_op), {}};
}
IntegerForm averages(std::string integer_op, std::function<std::int64_t(const Graph&, const Node&)> count) {
  return {IntegerForm::Kind::average, "N-AVG", std::move(integer_op), std::move(count)};
}

std::int64_t multiply_accumulates(const Graph& graph, const Node& node) {
  return node.op->multiply_accumulates == nullptr ? 0 : node.op->multiply_accumulates(graph, node);
}

void OpRegistry::add(OpSchema schema) {
  std::string name = schema.name;
  if (!schemas_.emplace(name, std::move(schema)).second) throw InternalError("two files of ir/ops make '" + name + "'");
}

const OpSchema* OpRegistry::find(std::string_view name) const {
  const auto it = schemas_.find(name);
  return it == schemas_.end() ? nullptr : &it->second;
}

const OpRegistry& op_registry() {
  static const OpRegistry registry = [] {
    OpRegistry all;
    ops::register_all(all);
    return all;
  }();
  return registry;
}

const OpSchema& op(std::string_view name) {
  if (const OpSchema* schema = op_registry().find(name)) return *schema;
  std::vector<std::string> names;
  for (const auto& [known, schema] : op_registry().all()) names.push_back(known);
  throw Error("unknown op '" + std::string(name) + "'" + did_you_mean(name, names));
}

}  // namespace stair::ir
