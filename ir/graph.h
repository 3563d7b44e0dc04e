#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ir/attributes.h"
#include "ir/type.h"

namespace stair::ir {

struct OpSchema;

using ValueId = std::int32_t;
using NodeId = std::int32_t;
/// An optional operand that is absent, a gradient that doesn't flow, a value that no node produces.
inline constexpr std::int32_t absent = -1;

/// An SSA value: it has one definition (a node's result, an input or a state) and never changes.
struct Value {
  std::string name;  ///< unique in its graph; a state value carries the name of its state
  Type type;
  NodeId producer = absent;  ///< absent for inputs and states
  std::int32_t result = 0;   ///< which result of the producer
};

struct Node {
  const OpSchema* op = nullptr;
  std::string name;  ///< unique; also the name of its first result
  std::vector<ValueId> operands;
  std::vector<ValueId> results;
  Attributes attributes;
  /// absent, too, for an optional one that isn't written.
  ValueId operand(std::size_t i) const { return i < operands.size() ? operands[i] : absent; }
};

/// What a state is for: decides what the optimizer updates, what a checkpoint says of it and what survives into an artifact.
enum class StateRole : std::uint8_t {
  parameter,  ///< trained: latent weights, biases, gamma, beta
  statistic,  ///< running mean and variance of a batch-norm
  observer,   ///< ranges that quantizers watch
  slot,       ///< the optimizer's: momentum, second moments
  counter,    ///< step and random-number counters
  constant    ///< of a deployment graph: integer weights, scales, tables
};
std::string_view name_of(StateRole role);
StateRole role_named(std::string_view name);

/// How a state gets its first value. uniform: U(-a, a); normal: N(0, a²); constant: a; none needs a value from a file.
struct Initializer {
  enum class Kind : std::uint8_t { constant, uniform, normal, external };
  Kind kind = Kind::constant;
  double a = 0;
  bool operator==(const Initializer&) const = default;
};

/// A named tensor that outlives an execution. `attributes` says more where there is more to say:
///   bits (integer): width at which an artifact packs the integers;
///   levels (list of integers): a codebook; what is packed is where in it an integer stands;
///   lr_scale (number): factor on the learning rate of adam and adamw, its square on that of sgd (BinaryConnect's Glorot coefficient);
///   clip (number): the optimizer clips the updated value to [-clip, clip];
///   decay (boolean): false exempts the parameter from weight decay;
///   follows (text): the parameter whose quantizer is trained by this one: a pattern that means that parameter means this one, too;
///   average_of (text): the state whose average this one is.
struct State {
  ValueId value = absent;
  StateRole role = StateRole::parameter;
  Initializer initializer;
  Attributes attributes;
};

struct Output {
  std::string name;
  ValueId value = absent;
};

/// At the end of an execution the state takes the value: all updates happen at once, after the last node.
struct Update {
  ValueId state = absent;
  ValueId value = absent;
};

/// A program: nodes in topological order over typed SSA values. One execution of a training graph is one training step.
/// Append-only; passes make a new graph from an old one (see Rewriter).
class Graph {
 public:
  std::string name = "main";

  /// An empty graph of the same name that keeps the same names.
  static Graph like(const Graph& source);

  /// A value that each execution is fed. The name must be free.
  ValueId add_input(const std::string& name, Type type);
  /// A named state. The name must be free; `state.value` is filled in.
  ValueId add_state(const std::string& name, Type type, State state);
  /// Appends a node: fills in attribute defaults, infers and checks the result types with the op's schema. Throws Error (naming op, node,
  /// operand, what was found and expected) for wrong operands or attributes. `name` is made unique by a suffix where it is taken; empty
  /// means the op's name.
  const Node& add(std::string_view op, std::vector<ValueId> operands, Attributes attributes = {}, std::string_view name = {});
  const Node& add(const OpSchema& op, std::vector<ValueId> operands, Attributes attributes = {}, std::string_view name = {});
  /// The same, returning the first result.
  ValueId emit(std::string_view op, std::vector<ValueId> operands, Attributes attributes = {}, std::string_view name = {});
  /// Error where the graph has an output of that name.
  void add_output(std::string name, ValueId value);
  /// The update's type must equal the state's. A second update of the same state replaces the first.
  void add_update(ValueId state, ValueId value);

  /// Sets an attribute of a state (see State for the known ones).
  void annotate(ValueId state, const std::string& attribute, Attribute value);

  const std::vector<Value>& values() const { return values_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<State>& states() const { return states_; }
  const std::vector<Output>& outputs() const { return outputs_; }
  const std::vector<Update>& updates() const { return updates_; }

  const Value& value(ValueId id) const { return values_[static_cast<std::size_t>(id)]; }
  const Type& type(ValueId id) const { return value(id).type; }
  const Node& node(NodeId id) const { return nodes_[static_cast<std::size_t>(id)]; }
  /// The node that produces the value, or nullptr for inputs, states and `absent`.
  const Node* producer(ValueId id) const;
  /// The state that the value is, or nullptr.
  const State* state(ValueId id) const;
  bool is_input(ValueId id) const;
  /// The value of that name, or absent.
  ValueId find(std::string_view name) const;
  /// The output of that name; throws Error with the nearest name.
  ValueId output(std::string_view name) const;
  /// `base`, or `base_2`, `base_3`… where it is taken.
  std::string unique_name(std::string_view base) const;

  /// From now on the names that the graph has belong to their values alone, whatever they are: what derived() makes gives way to them.
  /// Readers and pipelines begin with this, so that a model's names stay as the user wrote them, in every graph made of it.
  void keep_names();
  /// The same for the nodes that a reader is about to add.
  void keep_names(std::set<std::string, std::less<>> nodes);
  bool keeps(std::string_view any) const;
  /// The name of what a pass makes for the value `base`: `base.suffix`; where a kept name is that, or owns it (`c1.sum` owns what begins
  /// with `c1.sum.`), `base_2.suffix`, `base_3.suffix`… For what belongs to no value (`base` empty) `suffix`, and the number
  /// behind what stands before its first dot. A function of the
  /// kept names alone, so that all graphs made of one model, those of later sessions among them, agree on it.
  std::string derived(std::string_view base, std::string_view suffix) const;
  /// Another name for a value; it must be free.
  void rename(ValueId value, const std::string& free_name);
  /// The batch: first dimension of the first input. 1 where there is none.
  std::int64_t batch() const;

 private:
  struct KeptNames {
    std::set<std::string, std::less<>> owners;  // of inputs and nodes: names that begin with NAME. are made for them
    std::set<std::string, std::less<>> states;
  };

  ValueId add_value(std::string name, Type type, NodeId producer, std::int32_t result);

  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<ValueId> inputs_;
  std::vector<State> states_;
  std::unordered_map<ValueId, std::size_t> state_index_;
  std::vector<Output> outputs_;
  std::vector<Update> updates_;
  std::unordered_map<std::string, ValueId> names_;
  mutable std::unordered_map<std::string, int> next_suffix_;  // of unique_name()
  std::unordered_set<std::string> output_names_;
  std::shared_ptr<const KeptNames> kept_ = std::make_shared<const KeptNames>();
};

/// For each value the nodes that read it, in order (a node that reads it twice stands twice), and whether an output or update does.
struct Uses {
  explicit Uses(const Graph& graph);
  std::vector<std::vector<NodeId>> nodes;  ///< by ValueId
  std::vector<bool> leaves;                ///< by ValueId: an output or an update reads it
  /// True if exactly one node reads the value, once, and nothing else does.
  bool single(ValueId value) const;
  /// True if some of the nodes read the value, and nothing else does.
  bool within(ValueId value, std::span<const NodeId> readers) const;
};

/// How a pass makes a new graph: walk the old one's nodes in order, copy() what stays, map() old values to new ones where something
/// else takes their place, then finish().
class Rewriter {
 public:
  /// The new graph starts with the old one's inputs and states.
  explicit Rewriter(const Graph& source);
  struct Empty {};
  /// It starts empty: the pass says which inputs and states it has.
  Rewriter(const Graph& source, Empty);

  Graph& graph() { return target_; }
  const Graph& source() const { return source_; }
  /// The new value that stands for the old one. absent stays absent; an unmapped value is an InternalError, and an Error where another
  /// result of its node is mapped: the graph reads what the pass doesn't keep.
  ValueId operator()(ValueId old) const;
  std::vector<ValueId> operator()(const std::vector<ValueId>& old) const;
  bool mapped(ValueId old) const { return map_[static_cast<std::size_t>(old)] != absent; }
  void map(ValueId old, ValueId replacement) { map_[static_cast<std::size_t>(old)] = replacement; }
  /// Copies an input (all of them), or a state with what `state` says of it, under its name.
  void copy_input(ValueId input, Type type);
  void copy_inputs();
  void copy_state(const State& state);
  /// Copies the node over mapped operands and maps its results.
  const Node& copy(const Node& node);
  /// Copies outputs and updates over mapped values and yields the graph. `keep_updates` false leaves the updates out.
  Graph finish(bool keep_updates = true);

 private:
  const Graph& source_;
  Graph target_;
  std::vector<ValueId> map_;
};

}  // namespace stair::ir
