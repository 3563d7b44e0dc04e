#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "ir/error.h"
#include "ir/op.h"
#include "passes/analysis.h"
#include "passes/pass.h"
#include "passes/quantizer.h"
#include "passes/range_estimator.h"
#include "passes/recipe.h"

// Where quantizers stand. An accumulating op (convolution, linear, matmul) wants its operands quantized; whoever computes such an operand
// on integers wants its own operands quantized in turn, and so does a batch-norm that folds into no layer; moving ops (pooling by maximum,
// reshapes) pass the request on to their operand. A requested value gets one quantizer, behind the activation that its producer absorbs,
// and all its readers read the quantized value.
//   %y = relu(%x)  ->  %y.fq = fake_quantize(%y, scale, zero point), which everybody reads instead of %y

namespace stair::passes {
namespace {

using ir::Attributes;
using ir::Graph;
using ir::IntegerForm;
using ir::Node;
using ir::ValueId;

// Which parts of quantization are on: a recipe's schedule switches them on and off during training.
struct Switches {
  bool weights = true;
  bool activations = true;
  bool observe = true;
  bool training = true;  // the optimizer follows, also once observers are frozen
  bool first_values = false;
};

bool is_norm(const Node& node) {
  return node.op->integer.kind == IntegerForm::Kind::normalize || node.op->integer.kind == IntegerForm::Kind::affine;
}

// An op that inference leaves out: integers go through it as they are.
bool is_training_only(const Node& node) {
  return node.op->inference && node.op->inference->op.empty();
}

class Inserter {
 public:
  Inserter(const Graph& graph, Recipe recipe, Switches switches)
      : rewriter_(graph), uses_(graph), depends_(depends_on_inputs(graph)), recipe_(std::move(recipe)), switches_(switches) {}

  Result run() {
    const Graph& source = rewriter_.source();
    mark_wanted();
    for (const ValueId input : source.inputs()) quantize_activation(input);
    for (const Node& node : source.nodes()) {
      if (quantized_layer(node)) {
        copy_layer(node);
      } else {
        rewriter_.copy(node);
      }
      quantize_activation(node.results.front());
    }
    Graph graph = rewriter_.finish();
    for (const auto& [state, value] : updates_) graph.add_update(state, value);
    return {std::move(graph), std::move(changes_)};
  }

 private:
  static IntegerForm::Kind kind(const Node& node) { return node.op->integer.kind; }
  bool depends(ValueId value) const { return depends_[static_cast<std::size_t>(value)]; }
  bool wanted(ValueId value) const { return wanted_[static_cast<std::size_t>(value)]; }
  void want(ValueId value) {
    if (value != ir::absent && depends(value)) wanted_[static_cast<std::size_t>(value)] = true;
  }

  // An operand that isn't weights: what depends on the inputs, and numbers that stand in the model.
  void want_operand(ValueId value) {
    const Node* node = rewriter_.source().producer(value);
    const bool stands = node != nullptr && node->op->operands.empty() && !rewriter_.source().type(value).shape.empty();
    if (stands) wanted_[static_cast<std::size_t>(value)] = true;
    want(value);
  }

  bool quantized_layer(const Node& node) const {
    const bool weighs = kind(node) == IntegerForm::Kind::accumulate || node.op->integer.of_weights;
    return weighs && !recipe_.skips(node.name) && node.attributes.boolean("quantize");
  }
  // Of an op that moves weights, operand 0.
  static std::size_t weight_of(const Node& node) { return node.op->integer.of_weights ? 0 : node.op->integer.weight; }

  // The value whose quantizer serves `node`'s result as well: the operand of an op that only moves integers.
  bool hands_on(const Node& node) const {
    if (recipe_.skips(node.name)) return false;
    if (is_training_only(node)) return true;
    if (node.op->integer.of_weights) return quantized_layer(node);
    if (kind(node) != IntegerForm::Kind::move || node.op->operands.front().variadic) return false;
    return !node.op->integer.applies || node.op->integer.applies(node.attributes);
  }

  void mark_wanted() {
    const Graph& source = rewriter_.source();
    wanted_.assign(source.values().size(), false);
    if (recipe_.quantizes_output()) {
      for (const ir::Output& output : source.outputs()) want(output.value);
    }
    for (auto node = source.nodes().rbegin(); node != source.nodes().rend(); ++node) {
      if (quantized_layer(*node)) {
        if (!node->op->integer.of_weights) want(node->operands[node->op->integer.input]);
        want(node->operands[weight_of(*node)]);
        continue;
      }
      if (!wanted(node->results.front()) || recipe_.skips(node->name)) continue;
      if (is_norm(*node)) {
        if (stands_alone(*node)) want(node->operands.front());
        continue;
      }
      if (kind(*node) == IntegerForm::Kind::none && !is_training_only(*node)) continue;
      if (kind(*node) == IntegerForm::Kind::rows && !recipe_.integer_rows()) continue;
      if (kind(*node) == IntegerForm::Kind::accumulate) continue;
      for (const ValueId operand : node->operands) want_operand(operand);
    }
  }

  // Whether the reader takes `value` into the integer node that computes it, so that the quantizer stands behind the reader: batch-norm
  // behind a convolution; a clamping activation behind what accumulates or adds.
  bool absorbed(ValueId value) const {
    if (!uses_.single(value)) return false;
    const Graph& source = rewriter_.source();
    const Node& reader = source.node(uses_.nodes[static_cast<std::size_t>(value)].front());
    const Node* producer = source.producer(value);
    if (producer == nullptr || reader.operands.front() != value) return false;
    const bool sums = kind(*producer) == IntegerForm::Kind::accumulate || kind(*producer) == IntegerForm::Kind::average;
    if (is_norm(reader)) return takes_batch_norm(source, *producer);
    return reader.op->clamp.has_value() && (sums || is_norm(*producer) || kind(*producer) == IntegerForm::Kind::binary);
  }

  // Whether the batch-norm has no layer to fold into, so that it becomes integers by itself (N-AFFINE).
  bool stands_alone(const Node& norm) const {
    return recipe_.integer_norms() && kind(norm) == IntegerForm::Kind::normalize && !absorbed(norm.operands.front());
  }

  // Names of the layers that share the quantizer behind `value`, for overrides: the activation, the batch-norm, the convolution.
  std::vector<std::string> layers_of(ValueId value) const {
    std::vector<std::string> names{rewriter_.source().value(value).name};
    const Node* node = rewriter_.source().producer(value);
    while (node != nullptr && (node->op->clamp.has_value() || is_norm(*node)) && absorbed(node->operands.front())) {
      node = rewriter_.source().producer(node->operands.front());
      names.push_back(node->name);
    }
    return names;
  }

  void quantize_activation(ValueId value) {
    const Graph& source = rewriter_.source();
    if (!wanted(value) || absorbed(value)) return;
    const Node* producer = source.producer(value);
    if (producer != nullptr && hands_on(*producer)) return;
    if (!ir::is_float(source.type(value).dtype)) return;
    const int bits = recipe_.activation_bits_of(layers_of(value));
    if (bits == 0) return;

    const std::string& name = source.value(value).name;
    const Attributes& options = recipe_.activations();
    const RangeEstimator& estimator = range_estimators().named(options.text("observer"), "observer");
    const RangeContext context{{rewriter_.graph(), recipe_, options, rewriter_(value), name, switches_.first_values, updates_},
                               bits,
                               never_negative(value),
                               switches_.observe,
                               switches_.activations};
    const ValueId simulated = depends(value) ? estimator.simulate(context) : in_its_range(context);
    if (!switches_.activations) return;
    rewriter_.map(value, simulated);
    changes_.push_back("'" + name + "': " + std::to_string(bits) + "-bit activation");
  }

  // Of a constant, whose range is known.
  static ValueId in_its_range(const RangeContext& context) {
    if (!context.simulates) return context.value;
    const std::vector<ValueId> range = context.emit("weight_range", {context.value}, "range", {{"per_channel", false}});
    return context.affine(range[0], range[1]);
  }

  // As far as the graph tells: behind an activation that clamps at 0, through what moves or averages its result.
  bool never_negative(ValueId value) const {
    const Node* producer = rewriter_.source().producer(value);
    if (producer == nullptr) return false;
    if (const auto clamp = clamp_by(*producer)) return clamp->low.value_or(-1) >= 0;
    const bool passes_on = kind(*producer) == IntegerForm::Kind::move || kind(*producer) == IntegerForm::Kind::average;
    return passes_on && !producer->op->operands.front().variadic && never_negative(producer->operands.front());
  }

  void copy_layer(const Node& node) {
    const Graph& source = rewriter_.source();
    const ValueId old_weight = node.operands[weight_of(node)];
    const ValueId mapped = rewriter_(old_weight);
    // A quantized activation (the second operand of an attention's matmul) is no weight. A weight that two layers share gets a quantizer in
    // each.
    if (switches_.weights && !depends(old_weight)) {
      const ValueId old_latent = latent_weight(source, old_weight);
      steer_optimizer(old_latent);
      rewriter_.map(old_weight, quantized_weight(node, mapped, old_latent));
    }
    rewriter_.copy(node);
    rewriter_.map(old_weight, mapped);
  }

  // What the recipe asks of the optimizer for the latent weights (Courbariaux 2015, sections 2.4 and 2.5).
  void steer_optimizer(ValueId old_latent) {
    if (old_latent == ir::absent || !switches_.training) return;
    Graph& graph = rewriter_.graph();
    const ValueId latent = graph.find(rewriter_.source().value(old_latent).name);
    if (const double clip = recipe_.weights().number("clip"); clip > 0) graph.annotate(latent, "clip", clip);
    if (recipe_.weights().boolean("glorot_lr_scale")) {
      const ir::Shape& shape = graph.type(latent).shape;
      const auto fan_in = static_cast<double>(ir::element_count(shape) / shape[0]);
      const auto fan_out = static_cast<double>(ir::element_count(shape) / shape[1]);
      graph.annotate(latent, "lr_scale", 1 / std::sqrt(1.5 / (fan_in + fan_out)));
    }
  }

  ValueId quantized_weight(const Node& node, ValueId weight, ValueId old_latent) {
    const Attributes& options = recipe_.weights();
    const Quantizer& quantizer = quantizers().named(options.text("method"), "method");
    const int bits = recipe_.weight_bits_of(node.name);
    const std::string name = rewriter_.graph().value(weight).name;
    // A matmul sums over its weight's rows, so that one scale an output channel isn't to be had there.
    const ValueId simulated =
        quantizer.simulate({{rewriter_.graph(), recipe_, options, weight,
                             old_latent == ir::absent ? name : rewriter_.source().value(old_latent).name, switches_.first_values, updates_},
                            bits,
                            has_channels(node),
                            switches_.training});
    if (switches_.first_values) return weight;  // first values of activations are those of float inference
    if (simulated != weight)
      changes_.push_back("'" + name + "': " + (bits > 0 ? std::to_string(bits) + "-bit" : quantizer.name) + " weights");
    return simulated;
  }

  ir::Rewriter rewriter_;
  ir::Uses uses_;
  std::vector<bool> depends_;
  Recipe recipe_;
  Switches switches_;
  std::vector<bool> wanted_;
  std::vector<std::pair<ValueId, ValueId>> updates_;
  std::vector<std::string> changes_;
};

}  // namespace

void insert_fake_quantize(PassRegistry& registry) {
  registry.add(
      {.name = "insert_fake_quantize",
       .summary =
           "Puts fake-quantization on weights and activations as the recipe says, with observers for the activations' ranges. On the "
           "float graph, after fold_batch_norm, before append_loss.",
       .options = {recipe_spec(),
                   {"weights", "quantize weights", true},
                   {"activations", "quantize activations", true},
                   {"observe", "update the ranges of activations (training and calibration)", true},
                   {"training", "of a training graph: binary weights are drawn, the optimizer is told what the recipe asks of it", true},
                   {"first_values", "give trained states of quantizers their first values: from the weights, and the input", false}},
       .run = [](const Graph& graph, const Attributes& options) {
         return Inserter(graph, Recipe(options.object("recipe")),
                         {options.boolean("weights"), options.boolean("activations"), options.boolean("observe"),
                          options.boolean("training"), options.boolean("first_values")})
             .run();
       }});
}

}  // namespace stair::passes
