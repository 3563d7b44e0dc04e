#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/attributes.h"
#include "ir/error.h"
#include "ir/graph.h"
#include "ir/kinds.h"
#include "ir/type.h"

namespace stair::ir {

/// How one value is made of those that the shards of a training step compute, each over its share of the images. None: the op doesn't say,
/// because it yields nothing that outlives a step.
enum class Reduction : std::uint8_t { none, mean, sum, min, max };
std::string_view name_of(Reduction reduction);
/// Error with the nearest name; "none" is no name.
Reduction reduction_named(std::string_view name);

/// The least and the largest that some integers may be.
struct Limits {
  std::int64_t low;
  std::int64_t high;
};

/// All that the element type holds; of floats, all integers.
Limits limits_of(DType dtype);
/// Where all integers of a value lie, by what the ops that make and move them say.
Limits limits_of(const Graph& graph, ValueId value);

struct OperandSpec {
  std::string name;
  std::string doc;
  bool optional = false;
  bool variadic = false;                    ///< only the last operand: one or more of it
  Reduction over_shards = Reduction::none;  ///< of results that are states' new values, losses or metrics
  /// Of a result of integers: where all elements lie, whatever the operands hold. None: they may be whatever the element type holds.
  std::function<Limits(const Attributes&)> within = {};
  /// Of a result of weights' integers: the operand whose integers they are, halved any number of times, of either sign.
  std::optional<std::size_t> fitted_from = {};
  /// Of a result of weights' integers: bits that hold each of them; an artifact packs them at this width.
  std::function<std::int64_t(const Attributes&)> packed_bits = {};
};
/// A result that shards reduce.
OperandSpec reduced(Reduction over_shards, std::string name, std::string doc);

/// What an op's shape inference sees. `operands` holds nullptr for an absent optional operand.
struct InferContext {
  const OpSchema& op;
  const std::string& node;
  const Attributes& attributes;
  std::vector<const Type*> operands;

  /// Throws Error "OP 'NODE': MESSAGE".
  [[noreturn]] void fail(const std::string& message) const;
  /// fail() unless the condition holds.
  void expect(bool condition, const std::string& message) const;
  const Type& operand(std::size_t i) const { return *operands[i]; }
  const Shape& shape(std::size_t i) const { return operands[i]->shape; }
};

/// What an op's check of data sees beside the types.
struct DataContext : InferContext {
  std::vector<TensorView> constants;  ///< by operand; data == nullptr where an execution computes it, is fed it, or where it is absent
  std::vector<Limits> computed;       ///< by operand: of the integers that an execution computes or is fed

  /// Least and largest element of operand i, which is of integers: of the constant, or what the op that computes it says
  /// (OperandSpec::within).
  Limits limits(std::size_t i) const;
  /// fail() unless all elements of operand i, an optional one of integers, lie in [low, high].
  void expect_limits(std::size_t i, std::int64_t low, std::int64_t high) const;
  /// fail() unless operand i, where it is a constant of floats, holds finite numbers that lie within the bounds.
  void expect_reals(std::size_t i, const Bounds& bounds) const;
};

/// What a gradient rule works with: it builds nodes of the same graph behind the forward nodes.
class GradientContext {
 public:
  GradientContext(Graph& graph, NodeId node, std::vector<ValueId> gradients, std::vector<bool> needs);

  const Attributes& attributes() const { return attributes_; }
  std::size_t operand_count() const { return graph_.node(node_).operands.size(); }
  /// Operand i as the gradient formulas read it: the value itself, or the latent weights behind a fake-quantization that says
  /// backward="latent" ("use full-precision weights for computing gradients").
  ValueId operand(std::size_t i) const;
  ValueId result(std::size_t i = 0) const { return graph_.node(node_).results[i]; }
  /// Gradient of the loss by result i; absent where none flows.
  ValueId gradient(std::size_t i = 0) const { return gradients_[i]; }
  /// Whether anybody wants the gradient by operand i. A rule may leave out what nobody wants.
  bool needs(std::size_t i) const { return i < needs_.size() && needs_[i]; }
  Type type(ValueId value) const { return graph_.type(value); }

  /// Appends a node named after the forward node; returns its first result, or all of them.
  ValueId emit(std::string_view op, std::vector<ValueId> operands, Attributes attributes = {});
  std::vector<ValueId> emit_all(std::string_view op, std::vector<ValueId> operands, Attributes attributes = {});
  /// Sums `value` over what broadcasting repeated, back to the shape `target` (no node where the shapes are equal).
  ValueId reduce_to(ValueId value, const Shape& target);

 private:
  Graph& graph_;
  NodeId node_;
  Attributes attributes_;  // a copy: emit() moves the graph's nodes
  std::vector<ValueId> gradients_;
  std::vector<bool> needs_;
};

/// One gradient an operand; absent for operands that get none.
using GradientRule = std::function<std::vector<ValueId>(GradientContext&)>;

/// Either a rule, or the reason why there is none. Every op states one of the two.
struct Gradient {
  GradientRule rule;
  std::string reason;  ///< of the absence
};
Gradient gradient(GradientRule rule);
Gradient no_gradient(std::string reason);

/// Integers that stand for floats: (q - zero_point) * scale, with q in [lo, hi].
struct Simulated {
  ValueId q = absent, scale = absent, zero_point = absent;
  std::int64_t lo = 0, hi = 0;
};

/// What a rule works with that makes nodes for a node of another graph.
struct RewriteContext {
  Graph& graph;
  const Node& node;               ///< its attributes and name
  std::vector<ValueId> operands;  ///< of the node, in `graph`; absent, too, where `graph` doesn't hold them yet

  /// Appends a node that is named after the node (Graph::derived); returns its first result, or all of them.
  ValueId emit(std::string_view op, std::vector<ValueId> of, std::string_view suffix, Attributes attributes = {}) const;
  std::vector<ValueId> emit_all(std::string_view op, std::vector<ValueId> of, std::string_view suffix, Attributes attributes = {}) const;
};

/// A normalization as x * factor[c] + shift[c] over the channels (dimension 1).
struct ChannelAffine {
  ValueId factor = absent;            ///< by running statistics, known before deployment: goes into a layer's scale, or its weights
  ValueId correction = absent;        ///< of weights by `factor`, to the statistics of the batch; absent where there are none
  ValueId shift = absent;             ///< of what `factor` and `correction` make, with a bias before it taken in
  std::vector<ValueId> results = {};  ///< what stands for the op's results from 1 on
};

/// What the op means on integers (numerics.md, "Operations"). Every op states one, and passes know nothing else of it: those that quantize
/// ask which operands are weights, where the channels lie and what may stand behind a sum; those that realize integers, how; those that
/// prove sums, of how many terms. Names of ops that a form gives are in the registry.
struct IntegerForm {
  enum class Kind : std::uint8_t {
    none,        ///< runs on dequantized floats, `note` says why
    integer,     ///< the op is itself part of the integer arithmetic
    move,        ///< N-MOVE: on the integers as they are (operand 0, or all of a variadic one)
    unary,       ///< N-POINT with one quantized operand: a table of its 256 values (`tabulate`, `lookup`)
    binary,      ///< N-POINT with two quantized operands (`point_binary`; `integer_op` with fixed-point requantization)
    accumulate,  ///< N-ACC: `integer_op` on the integers gives the int32 accumulator
    average,     ///< N-AVG: `integer_op` on those of operand 0 gives the int32 sum over `count` elements
    normalize,   ///< folds into the layer before it (N-BN-SCALE, N-BN-WEIGHT), or becomes integers by itself (N-AFFINE); see `affine`
    affine,      ///< operand 0 times operand 1 plus operand 2, a channel, both optional: goes into the requantization of the sum before it
    rows,        ///< N-SOFTMAX, N-NORM: normalizes over axes of operand 0, the others being parameters; `rows` emits the integers
    order,       ///< compares elements of operand 0: the same op yields the same of the integers, which have one scale
    quantizer    ///< simulates integers: floats that stand for those that `simulated` emits
  };
  Kind kind = Kind::none;
  std::string note;

  /// binary, accumulate, average; move: the op that is handed the integers and their zero point; "": this op on the integers alone.
  std::string integer_op = {};
  /// Attributes of the node of `integer_op`. None: those of this node that it has, too.
  std::function<Attributes(const Attributes&)> attributes = {};
  std::function<bool(const Attributes&)> applies = {};  ///< move: whether the node only moves integers; none: it does
  /// move: operand 0 is weights, which are quantized with one scale for all; others say where they go. Such an op has the boolean attribute
  /// `quantize`.
  bool of_weights = false;

  // accumulate: operands. What is multiplied by the input are weights where no input of the graph reaches them. Such an op has the boolean
  // attribute `quantize`.
  std::size_t input = 0, weight = 1;
  std::optional<std::size_t> bias = {};  ///< [C], where the op has one
  std::int64_t channel_axis = -1;        ///< accumulate: the channels' dimension of the result; negative counts from the end

  std::function<std::int64_t(const Graph&, const Node&)> count = {};  ///< average: the n of N-AVG (1 for a plain sum)

  /// unary, binary: of ir/scalar_functions.h, or of point_binary; the op's attributes, numbers, are a table's parameters.
  std::string function = {};
  /// binary, with fixed-point requantization: the multipliers' mantissa and shift, from the scales of both operands and the result.
  std::function<std::vector<ValueId>(const RewriteContext&, ValueId a_scale, ValueId b_scale, ValueId y_scale)> multipliers = {};

  /// normalize: appends factor and shift. `bias` is that of the layer before it, or absent; `layer` appends the float layer, for statistics
  /// of the batch (nullptr: none are asked for).
  std::function<ChannelAffine(const RewriteContext&, ValueId bias, const std::function<ValueId()>& layer)> affine = {};

  /// rows: emits the integers of the quantizer y behind the result from those of operand 0; absent where there are none.
  std::function<ValueId(const RewriteContext&, const Simulated& x, const Simulated& y)> rows = {};

  /// integer, of an op that sums in int32: an operand that is summed, or that is multiplied by another. Without a zero point it is weights,
  /// with the output channels first, which may have a scale each.
  struct Factor {
    std::size_t operand;
    std::optional<std::size_t> zero_point = {};  ///< the operand that holds it
  };
  std::vector<Factor> factors = {};
  std::function<std::int64_t(const Graph&, const Node&)> terms = {};  ///< products or elements in one sum

  /// quantizer: emits the integers that the op's result stands for.
  std::function<Simulated(const RewriteContext&)> simulated = {};
};
IntegerForm no_integer_form(std::string reason);
IntegerForm integer_op();
IntegerForm sums_integers(std::vector<IntegerForm::Factor> factors, std::function<std::int64_t(const Graph&, const Node&)> terms);
IntegerForm moves(std::string integer_op = "", std::function<bool(const Attributes&)> applies = {});
IntegerForm moves_weights();
IntegerForm keeps_order();
IntegerForm unary_table(std::string function);
IntegerForm accumulates(std::string integer_op, std::int64_t channel_axis, std::optional<std::size_t> bias);
IntegerForm integer_rows(std::string clause, std::function<ValueId(const RewriteContext&, const Simulated& x, const Simulated& y)> rows);
IntegerForm simulates(std::function<Simulated(const RewriteContext&)> simulated);
IntegerForm averages(std::string integer_op, std::function<std::int64_t(const Graph&, const Node&)> count);

/// Everything that the rest of the program knows of an op. One file in ir/ops states it, and all else (JSON layers, text form,
/// documentation tables, tests) follows from it.
struct OpSchema {
  std::string name;
  std::string summary;  ///< one sentence or formula, for documentation
  std::vector<OperandSpec> operands = {};
  std::vector<OperandSpec> results = {};
  std::vector<AttributeSpec> attributes = {};
  /// Result types from operand types and attributes; the op's verifier too: throws Error (through InferContext::fail) for what doesn't fit.
  std::function<std::vector<Type>(const InferContext&)> infer;
  /// What the op's kernels rely on in the elements of operands, where they don't look themselves: zero points, shifts, ranges, scales.
  /// Throws as infer() does. None: nothing. See ir/check_data.h.
  std::function<void(const DataContext&)> check_data = {};
  /// Deployment leaves the op in its graphs, so that an artifact may hold it.
  bool deployed = false;
  Gradient gradient = {};
  IntegerForm integer = {};
  /// The clamp that an activation is, if it is one: it narrows the range of the quantizer behind it (N-REQ).
  struct Clamp {
    std::optional<double> low, high;  ///< where they are the same for all nodes; see clamp_by
    std::string gradient = {};        ///< the op of its gradient, by that of the result and the result
  };
  std::optional<Clamp> clamp = {};
  /// What stands in the op's place in inference, if something else does: an op of the same operands with those of the attributes that it
  /// has; "": result 0 is operand 0 as it is. Results from 1 on become operands.
  struct Inference {
    std::string op;
    std::vector<std::size_t> results = {};
  };
  std::optional<Inference> inference = {};
  /// How the op runs on images [N,H,W,C] in the place of [N,C,H,W], if it does.
  struct ChannelsLast {
    std::size_t images = 1;                     ///< operands that are images, from operand 0 on; 0: all of them
    void (*attributes)(Attributes&) = nullptr;  ///< as they are there; none: the same
    std::string op = {};                        ///< that does it on integers, for readers of result 0 alone; "": this op
    bool preferred = false;                     ///< worth a transposition of its operands
  };
  std::optional<ChannelsLast> channels_last = {};
  /// Result r may be written over the memory of operand in_place[r], where there is one (element i of the results depends on element i of
  /// these operands alone).
  std::vector<std::size_t> in_place = {};
  /// For each operand, which dimension of result 0 each of its dimensions becomes, position by position; `absent` where elements at several
  /// positions, or at others, meet in one of the result, or where nobody needs to know. Empty: nothing is known. (Of the examples of a
  /// batch, see ir/examples.h; batch statistics don't count.) Results of the same shape as result 0 are as it is.
  using Dimensions = std::vector<std::vector<std::int64_t>>;
  std::function<Dimensions(const InferContext&)> dimensions = {};
  /// The result is the elements of operand 0 in their order, whatever its shape.
  bool in_order = false;
  /// Products that a node sums up, from its shapes; for reports of speed. None: it is no product of matrices, nor a convolution.
  std::function<std::int64_t(const Graph&, const Node&)> multiply_accumulates = {};
  /// The layer of the model JSON: present where users may name the op in a model.
  struct Layer {
    /// An operand that the layer owns as a state.
    struct Parameter {
      std::string operand;
      StateRole role = StateRole::parameter;
      /// From the layer's attributes and the shape of its (first) input.
      std::function<Type(const Attributes& layer, const Shape& input)> type;
      std::function<Initializer(const Attributes& layer, const Shape& input)> initializer;
      std::string update_result = {};  ///< the result that is the state's new value after a training step ("" for none)
      std::string enabled_by = {};     ///< a boolean attribute of the layer that switches the operand on ("" for always)
    };
    std::vector<AttributeSpec> attributes = {};  ///< of the layer but not of the node: "out_channels", "features", "bias"
    std::vector<Parameter> parameters = {};
    /// What the layer is called on sequences [N,C,L], if it has a form on them: there it runs on images [N,C,1,L], and its attributes say
    /// one number for two. The op's own name where no attribute is of an image's sides.
    std::string on_sequences = {};
  };
  std::optional<Layer> layer = {};
};

/// Whether the node is of that op. Passes that are about one op ask this; what holds of others, too, its schema says.
bool is(const Node& node, std::string_view op);
/// The clamp that the node is, if it is one, with the bounds that its op has or that its attributes `low` and `high` state.
std::optional<OpSchema::Clamp> clamp_by(const Node& node);
/// The clamp's bounds, the least first, as the attribute `clamp` of ops on integers holds them.
std::vector<double> bounds_of(const OpSchema::Clamp& clamp);
/// Of a node that moves elements (IntegerForm::Kind::move): how many of its operands are moved. What follows says where they go.
std::size_t moved_operands(const Node& node);
/// Those of the attributes that the op has.
Attributes attributes_for(const OpSchema& op, const Attributes& attributes);

/// The types of a node's results; `operands` holds nullptr for an absent one. Throws Error as the schema's infer() does.
std::vector<Type> infer_types(const OpSchema& op, const std::string& node, const Attributes& attributes, std::vector<const Type*> operands);

using OpRegistry = Registry<OpSchema>;

/// OpSchema::multiply_accumulates of the node, 0 where its op has none.
std::int64_t multiply_accumulates(const Graph& graph, const Node& node);

/// The registry with every file of ir/ops in it.
const OpRegistry& op_registry();
/// The op of that name; throws Error with the nearest name.
const OpSchema& op(std::string_view name);

}  // namespace stair::ir
