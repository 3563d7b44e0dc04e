#include "ir/graph.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ir/enum_names.h"
#include "ir/error.h"
#include "ir/op.h"

namespace stair::ir {
namespace {

constexpr std::pair<StateRole, std::string_view> role_names[] = {{StateRole::parameter, "parameter"}, {StateRole::statistic, "statistic"},
                                                                 {StateRole::observer, "observer"},   {StateRole::slot, "slot"},
                                                                 {StateRole::counter, "counter"},     {StateRole::constant, "constant"}};

void check_operand_count(const OpSchema& schema, const std::string& node, const std::vector<ValueId>& operands) {
  const bool variadic = !schema.operands.empty() && schema.operands.back().variadic;
  const std::size_t most = schema.operands.size();
  if (!variadic && operands.size() > most) {
    throw Error(schema.name + " '" + node + "': " + std::to_string(operands.size()) + " operands, expected at most " +
                std::to_string(most));
  }
  for (std::size_t i = 0; i < std::max(schema.operands.size(), operands.size()); ++i) {
    const OperandSpec& spec = schema.operands[std::min(i, most - 1)];
    const bool missing = i >= operands.size() || operands[i] == absent;
    if (missing && !spec.optional) throw Error(schema.name + " '" + node + "': operand '" + spec.name + "' is missing");
  }
}

}  // namespace

std::string_view name_of(StateRole role) {
  return name_in(role_names, role);
}

StateRole role_named(std::string_view name) {
  return named_in(role_names, name, "state role");
}

ValueId Graph::add_value(std::string value_name, Type type, NodeId producer, std::int32_t result) {
  if (!is_valid(type.shape)) {
    throw Error("value '" + value_name + "' has the shape " + to_string(type.shape) + ", expected " + std::string(expected_shape));
  }
  const auto id = static_cast<ValueId>(values_.size());
  if (!names_.emplace(value_name, id).second) throw Error("the name '" + value_name + "' is taken");
  values_.push_back({std::move(value_name), std::move(type), producer, result});
  return id;
}

ValueId Graph::add_input(const std::string& input, Type type) {
  inputs_.push_back(add_value(input, std::move(type), absent, 0));
  return inputs_.back();
}

ValueId Graph::add_state(const std::string& state_name, Type type, State state) {
  if (const Limits limits = limits_of(type.dtype);
      !is_float(type.dtype) && !(std::abs(state.initializer.a) <= static_cast<double>(limits.high))) {
    throw Error("state '" + state_name + "' of " + std::string(name_of(type.dtype)) + " begins with values that this doesn't hold");
  }
  state.value = add_value(state_name, std::move(type), absent, 0);
  state_index_.emplace(state.value, states_.size());
  states_.push_back(std::move(state));
  return states_.back().value;
}

const Node& Graph::add(std::string_view op_name, std::vector<ValueId> operands, Attributes attributes, std::string_view node_name) {
  return add(op(op_name), std::move(operands), std::move(attributes), node_name);
}

const Node& Graph::add(const OpSchema& schema, std::vector<ValueId> operands, Attributes attributes, std::string_view node_name) {
  Node node;
  node.op = &schema;
  node.name = unique_name(node_name.empty() ? schema.name : node_name);
  while (!operands.empty() && operands.back() == absent) operands.pop_back();
  check_operand_count(schema, node.name, operands);
  node.attributes = completed(schema.attributes, std::move(attributes), schema.name + " '" + node.name + "': ", "attribute");
  node.operands = std::move(operands);

  std::vector<const Type*> operand_types;
  for (const ValueId operand : node.operands) operand_types.push_back(operand == absent ? nullptr : &type(operand));
  const std::vector<Type> types = infer_types(schema, node.name, node.attributes, std::move(operand_types));

  const auto id = static_cast<NodeId>(nodes_.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::string value_name = i == 0 ? node.name : unique_name(derived(node.name, schema.results[i].name));
    node.results.push_back(add_value(value_name, types[i], id, static_cast<std::int32_t>(i)));
  }
  nodes_.push_back(std::move(node));
  return nodes_.back();
}

ValueId Graph::emit(std::string_view op_name, std::vector<ValueId> operands, Attributes attributes, std::string_view node_name) {
  return add(op_name, std::move(operands), std::move(attributes), node_name).results.front();
}

void Graph::add_output(std::string output_name, ValueId value_id) {
  if (!output_names_.insert(output_name).second) throw Error("graph '" + name + "': the output '" + output_name + "' stands twice");
  outputs_.push_back({std::move(output_name), value_id});
}

void Graph::add_update(ValueId state_value, ValueId new_value) {
  const State* updated = state(state_value);
  if (updated == nullptr) throw Error("update of '" + value(state_value).name + "', which is no state");
  if (updated->role == StateRole::constant) throw Error("update of '" + value(state_value).name + "', which is a constant");
  if (type(state_value) != type(new_value)) {
    throw Error("update of '" + value(state_value).name + "': " + to_string(type(new_value)) + " from '" + value(new_value).name +
                "', expected " + to_string(type(state_value)));
  }
  for (Update& update : updates_) {
    if (update.state == state_value) {
      update.value = new_value;
      return;
    }
  }
  updates_.push_back({state_value, new_value});
}

void Graph::annotate(ValueId state_value, const std::string& attribute, Attribute attribute_value) {
  states_[state_index_.at(state_value)].attributes.set(attribute, std::move(attribute_value));
}

const Node* Graph::producer(ValueId id) const {
  if (id == absent || value(id).producer == absent) return nullptr;
  return &node(value(id).producer);
}

const State* Graph::state(ValueId id) const {
  const auto it = state_index_.find(id);
  return it == state_index_.end() ? nullptr : &states_[it->second];
}

bool Graph::is_input(ValueId id) const {
  return std::find(inputs_.begin(), inputs_.end(), id) != inputs_.end();
}

ValueId Graph::find(std::string_view value_name) const {
  const auto it = names_.find(std::string(value_name));
  return it == names_.end() ? absent : it->second;
}

ValueId Graph::output(std::string_view output_name) const {
  std::vector<std::string> names;
  for (const Output& output : outputs_) {
    if (output.name == output_name) return output.value;
    names.push_back(output.name);
  }
  throw Error("graph '" + name + "' has no output '" + std::string(output_name) + "'" + did_you_mean(output_name, names));
}

std::string Graph::unique_name(std::string_view base) const {
  std::string candidate(base);
  if (!names_.contains(candidate)) return candidate;
  int& next = next_suffix_.try_emplace(candidate, 2).first->second;
  while (names_.contains(candidate) || keeps(candidate)) candidate = std::string(base) + "_" + std::to_string(next++);
  --next;  // the caller may not take it
  return candidate;
}

Graph Graph::like(const Graph& source) {
  Graph made;
  made.name = source.name;
  made.kept_ = source.kept_;
  return made;
}

void Graph::keep_names() {
  KeptNames kept;
  for (const ValueId input : inputs_) kept.owners.insert(value(input).name);
  for (const Node& node : nodes_) kept.owners.insert(node.name);
  for (const State& state : states_) kept.states.insert(value(state.value).name);
  kept_ = std::make_shared<const KeptNames>(std::move(kept));
}

void Graph::keep_names(std::set<std::string, std::less<>> nodes) {
  kept_ = std::make_shared<const KeptNames>(KeptNames{std::move(nodes), {}});
}

bool Graph::keeps(std::string_view any) const {
  return kept_->owners.contains(any) || kept_->states.contains(any);
}

std::string Graph::derived(std::string_view base, std::string_view suffix) const {
  const auto belongs_to_another = [&](std::string_view candidate) {
    if (keeps(candidate)) return true;
    for (std::size_t dot = candidate.find('.', base.size() + 1); dot != std::string_view::npos; dot = candidate.find('.', dot + 1)) {
      if (kept_->owners.contains(candidate.substr(0, dot))) return true;
    }
    return false;
  };
  const std::string whole = base.empty() ? std::string(suffix) : std::string(base) + "." + std::string(suffix);
  // Behind what no owner's name may begin with: so some number leads to a name of nobody.
  const std::size_t place = base.empty() ? std::min(whole.find('.'), whole.size()) : base.size();
  std::string candidate = whole;
  for (int i = 2; belongs_to_another(candidate); ++i) {
    candidate = whole.substr(0, place) + "_" + std::to_string(i) + whole.substr(place);
  }
  return candidate;
}

void Graph::rename(ValueId value_id, const std::string& free_name) {
  Value& renamed = values_[static_cast<std::size_t>(value_id)];
  if (!names_.emplace(free_name, value_id).second) throw Error("the name '" + free_name + "' is taken");
  names_.erase(renamed.name);
  renamed.name = free_name;
}

std::int64_t Graph::batch() const {
  if (inputs_.empty() || type(inputs_.front()).shape.empty()) return 1;
  return type(inputs_.front()).shape.front();
}

Uses::Uses(const Graph& graph) : nodes(graph.values().size()), leaves(graph.values().size(), false) {
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    for (const ValueId operand : graph.nodes()[n].operands) {
      if (operand != absent) nodes[static_cast<std::size_t>(operand)].push_back(static_cast<NodeId>(n));
    }
  }
  for (const Output& output : graph.outputs()) leaves[static_cast<std::size_t>(output.value)] = true;
  for (const Update& update : graph.updates()) leaves[static_cast<std::size_t>(update.value)] = true;
}

bool Uses::single(ValueId value) const {
  const auto i = static_cast<std::size_t>(value);
  return nodes[i].size() == 1 && !leaves[i];
}

bool Uses::within(ValueId value, std::span<const NodeId> readers) const {
  const auto i = static_cast<std::size_t>(value);
  const auto among = [&](NodeId node) { return std::find(readers.begin(), readers.end(), node) != readers.end(); };
  return !nodes[i].empty() && !leaves[i] && std::all_of(nodes[i].begin(), nodes[i].end(), among);
}

Rewriter::Rewriter(const Graph& source, Empty) : source_(source), target_(Graph::like(source)), map_(source.values().size(), absent) {}

Rewriter::Rewriter(const Graph& source) : Rewriter(source, Empty{}) {
  copy_inputs();
  for (const State& state : source.states()) copy_state(state);
}

void Rewriter::copy_input(ValueId input, Type type) {
  map(input, target_.add_input(source_.value(input).name, std::move(type)));
}

void Rewriter::copy_inputs() {
  for (const ValueId input : source_.inputs()) copy_input(input, source_.type(input));
}

void Rewriter::copy_state(const State& state) {
  map(state.value, target_.add_state(source_.value(state.value).name, source_.type(state.value), state));
}

ValueId Rewriter::operator()(ValueId old) const {
  if (old == absent) return absent;
  const ValueId replacement = map_[static_cast<std::size_t>(old)];
  if (replacement != absent) return replacement;
  const Node* producer = source_.producer(old);
  if (producer != nullptr && map_[static_cast<std::size_t>(producer->results.front())] != absent) {  // others of its results stay
    throw Error("graph '" + source_.name + "': '" + source_.value(old).name + "' is read, but this pass leaves no such result of " +
                producer->op->name + " '" + producer->name + "', expected a graph without what reads it, like gradients");
  }
  throw InternalError("rewriting '" + source_.name + "': nothing stands for '" + source_.value(old).name + "' yet");
}

std::vector<ValueId> Rewriter::operator()(const std::vector<ValueId>& old) const {
  std::vector<ValueId> mapped;
  mapped.reserve(old.size());
  for (const ValueId value : old) mapped.push_back((*this)(value));
  return mapped;
}

const Node& Rewriter::copy(const Node& node) {
  const Node& made = target_.add(*node.op, (*this)(node.operands), node.attributes, node.name);
  for (std::size_t i = 0; i < node.results.size(); ++i) map(node.results[i], made.results[i]);
  return made;
}

Graph Rewriter::finish(bool keep_updates) {
  for (const Output& output : source_.outputs()) target_.add_output(output.name, (*this)(output.value));
  if (keep_updates) {
    for (const Update& update : source_.updates()) target_.add_update((*this)(update.state), (*this)(update.value));
  }
  return std::move(target_);
}

}  // namespace stair::ir
