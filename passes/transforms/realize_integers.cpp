#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ir/op.h"
#include "passes/analysis.h"
#include "passes/pass.h"

// From simulated to real integers (docs/numerics.md). Each rule replaces a float value by the dequantization of an integer one:
//   fake_quantize(w, s, z), a weight                           -> dequantize(quantize(w))
//   conv(dequantize(x), dequantize(w))                         -> dequantize_accumulator(conv_integer(x, w), s_x * s_w)
//   conv(dequantize(x), dequantize(w), b)                      -> dequantize_accumulator(conv_integer(x, w'), s_x * s'_w, q_b)
//                                                                 with w', s'_w, q_b of fit_channels: N-ACC, N-BIAS, N-LOGITS
//   fake_quantize(clamp(channel_affine(conv(x, w), k, b)))     -> dequantize(requantize(conv_integer(x, w'), s_x * s'_w / s_y, z_y, q_b))
//                                                                 N-REQ, N-BN-SCALE
//   fake_quantize(clamp(batch_norm_inference(dequantize(x))))  -> dequantize(requantize(conv2d_integer(x, ±64), …))  N-AFFINE
//   fake_quantize(clamp(average(dequantize(x))))               -> dequantize(requantize(sum_integer(x), s_x / (s_y * n), z_y))  N-AVG
//   fake_quantize(clamp(add(dequantize(a), dequantize(b))))    -> dequantize(point_binary(a, b))  N-POINT
//   fake_quantize(f(dequantize(x)))                            -> dequantize(lookup(x, tabulate(f)))  N-POINT
//   fake_quantize(softmax(dequantize(x))), layer_norm           -> dequantize(softmax_integer(x, T, 1 / s_y))  N-SOFTMAX, N-NORM
//   fake_quantize(concat(dequantize(x)...))                    -> dequantize(concat(lookup(x, tabulate(identity))...))  N-POINT, N-MOVE
//   max_pool(dequantize(x)) and other moves                    -> dequantize(max_pool(x))  N-MOVE
//   argmax(dequantize(x))                                      -> argmax(x)
//   fake_quantize(x) of anything else                          -> dequantize(quantize(x))  N-QUANT
// The float nodes stay for those who read them (the backward half); dead_code takes them away where nobody does.

namespace stair::passes {
namespace {

using ir::Attributes;
using ir::Graph;
using ir::IntegerForm;
using ir::Node;
using ir::ValueId;
using Quantized = ir::Simulated;  // in the new graph

// The int32 accumulator of a layer, the integers that it multiplies by, the scale of one step, and the bias: integers of that step, or the
// floats that they stand for.
struct Accumulator {
  ValueId sum = ir::absent, weight = ir::absent, weight_scale = ir::absent, step = ir::absent, bias = ir::absent;
  ValueId float_bias = ir::absent;
};

// What stands between a layer's accumulator and its quantizer.
struct Chain {
  const Node* root = nullptr;    // the op that accumulates, averages, adds, is tabulated, or a batch-norm by itself
  const Node* affine = nullptr;  // batch-norm, folded into factor and shift
  const Node* clamp = nullptr;   // ReLU, ReLU6
};

class Realizer {
 public:
  struct Options {
    bool float_bias, fixed_point, powers_of_two, integer_norms, integer_rows;
  };
  Realizer(const Graph& graph, const Options& options) : rewriter_(graph), depends_(depends_on_inputs(graph)), options_(options) {
    find_chains();
  }

  Result run() {
    for (const Node& node : rewriter_.source().nodes()) realize(node);
    return {rewriter_.finish(), std::move(changes_), std::move(integers_), std::move(integer_sums_)};
  }

 private:
  static IntegerForm::Kind kind(const Node& node) { return node.op->integer.kind; }
  // By running statistics: those of a batch are known in training only.
  static bool is_norm(const Node& node) { return kind(node) == IntegerForm::Kind::normalize && !node.op->inference; }
  const Graph& source() const { return rewriter_.source(); }
  bool depends(ValueId value) const { return value != ir::absent && depends_[static_cast<std::size_t>(value)]; }
  const Quantized* quantized(ValueId old) const {
    const auto it = quantized_.find(old);
    return it == quantized_.end() ? nullptr : &it->second;
  }

  ValueId emit(std::string_view op, std::vector<ValueId> operands, const std::string& name, Attributes attributes = {}) {
    return rewriter_.graph().emit(op, std::move(operands), std::move(attributes), name);
  }
  std::vector<ValueId> emit_all(std::string_view op, std::vector<ValueId> operands, const std::string& name, Attributes attributes = {}) {
    return rewriter_.graph().add(op, std::move(operands), std::move(attributes), name).results;
  }

  std::string derived(const std::string& name, std::string_view suffix) { return rewriter_.graph().derived(name, suffix); }

  // ---- chains --------------------------------------------------------------------------------------------------------

  // The chain that ends at the operand of a fake_quantize. Factor and shift must be known before deployment: batch statistics aren't.
  Chain chain_of(const Node& fake) const {
    Chain chain;
    const Node* node = source().producer(fake.operands[0]);
    if (node != nullptr && node->op->clamp) {
      const Node* before = source().producer(node->operands[0]);
      const bool fuses = before != nullptr && (kind(*before) == IntegerForm::Kind::affine || is_norm(*before) ||
                                               kind(*before) == IntegerForm::Kind::accumulate ||
                                               kind(*before) == IntegerForm::Kind::average || kind(*before) == IntegerForm::Kind::binary);
      if (fuses) {
        chain.clamp = node;
        node = before;
      }
    }
    if (node != nullptr && kind(*node) == IntegerForm::Kind::affine) {
      const ValueId shift = node->operand(2);
      const Node* before = source().producer(node->operands[0]);
      if (before == nullptr || !takes_batch_norm(source(), *before) || depends(node->operand(1)) || depends(shift)) return {};
      // The sum has one bias, the shift: fold_batch_norm makes this form of layers with a bias too.
      if (shift == ir::absent || bias_of(*before) != ir::absent) return {};
      chain.affine = node;
      node = before;
    }
    chain.root = node;
    return chain;
  }

  void find_chains() {
    for (const Node& node : source().nodes()) {
      if (kind(node) != IntegerForm::Kind::quantizer) continue;
      const Chain chain = chain_of(node);
      chains_[&node] = chain;
      if (chain.affine != nullptr) affine_of_[chain.root] = chain.affine;
    }
  }

  // ---- nodes ---------------------------------------------------------------------------------------------------------

  void realize(const Node& node) {
    if (kind(node) == IntegerForm::Kind::quantizer) return realize_quantizer(node);
    const IntegerForm& form = node.op->integer;
    if (form.kind == IntegerForm::Kind::accumulate && quantized(node.operands[form.input]) && quantized(node.operands[form.weight]))
      return realize_layer(node);
    if (form.kind == IntegerForm::Kind::move && quantized(node.operands[0]) && realize_move(node)) return;
    if (form.kind == IntegerForm::Kind::order && quantized(node.operands[0])) return realize_order(node);
    rewriter_.copy(node);
  }

  void stand_for(const Node& node, const Quantized& integers, std::int64_t axis = 0, Integers its = {}) {
    quantized_[node.results.front()] = integers;
    its.value = node.results.front();
    its.q = integers.q;
    its.scale = integers.scale;
    its.zero_point = integers.zero_point;
    if (its.rounded == ir::absent) its.rounded = its.q;
    integers_.push_back(std::move(its));
    rewriter_.map(node.results.front(), emit("dequantize", {integers.q, integers.scale, integers.zero_point}, node.name, {{"axis", axis}}));
  }

  void realize_quantizer(const Node& node) {
    const std::int64_t axis = node.attributes.has("axis") ? node.attributes.integer("axis") : 0;
    if (const Chain chain = depends(node.operands[0]) ? chains_.at(&node) : Chain{}; chain.root != nullptr) {
      Quantized y{ir::absent, rewriter_(node.operands[1]), rewriter_(node.operands[2]), node.attributes.integer("lo"),
                  node.attributes.integer("hi")};
      Integers its;
      if (chain.clamp != nullptr) its.clamp = chain.clamp->results.front();
      y.q = integers(chain, node, y, its);
      if (y.q != ir::absent) {
        changes_.push_back("'" + chain.root->name + "' on integers");
        return stand_for(node, y, axis, std::move(its));
      }
    }
    stand_for(node, node.op->integer.simulated({rewriter_.graph(), node, rewriter_(node.operands)}), axis);
  }

  bool realize_move(const Node& node) {
    const Quantized first = *quantized(node.operands[0]);
    std::vector<ValueId> operands{first.q};
    for (std::size_t i = 1; i < moved_operands(node); ++i) {
      const Quantized* other = quantized(node.operands[i]);
      if (other == nullptr || other->scale != first.scale || other->zero_point != first.zero_point) return false;
      operands.push_back(other->q);
    }
    for (std::size_t i = operands.size(); i < node.operands.size(); ++i) operands.push_back(rewriter_(node.operands[i]));
    const IntegerForm& form = node.op->integer;
    if (form.applies && !form.applies(node.attributes)) return false;
    if (!form.integer_op.empty()) operands = {first.q, first.zero_point};
    const ir::OpSchema& op = form.integer_op.empty() ? *node.op : ir::op(form.integer_op);
    const std::vector<ValueId> results =
        rewriter_.graph().add(op, std::move(operands), attributes_for(op, node.attributes), derived(node.name, "q")).results;
    for (std::size_t i = 1; i < node.results.size(); ++i) rewriter_.map(node.results[i], results[i]);
    stand_for(node, {results.front(), first.scale, first.zero_point, first.lo, first.hi});
    return true;
  }

  void realize_order(const Node& node) {
    std::vector<ValueId> operands = rewriter_(node.operands);
    operands.front() = quantized(node.operands[0])->q;
    rewriter_.map(node.results.front(), rewriter_.graph().add(*node.op, std::move(operands), node.attributes, node.name).results.front());
  }

  // ---- layers --------------------------------------------------------------------------------------------------------

  static std::int64_t channel_axis(const Node& layer) { return layer.op->integer.channel_axis; }
  static ValueId bias_of(const Node& layer) { return layer.op->integer.bias ? layer.operand(*layer.op->integer.bias) : ir::absent; }

  static Attributes integer_attributes(const Node& node) {
    const IntegerForm& form = node.op->integer;
    return form.attributes ? form.attributes(node.attributes) : attributes_for(ir::op(form.integer_op), node.attributes);
  }

  // The int32 sum of the integers of one operand, or of the products of those of two.
  ValueId integer_sum(const Node& node, const std::vector<Quantized>& of) {
    const ir::OpSchema& op = ir::op(node.op->integer.integer_op);
    std::vector<ValueId> operands(op.operands.size(), ir::absent);
    for (std::size_t i = 0; i < of.size(); ++i) {
      const IntegerForm::Factor& factor = op.integer.factors.at(i);
      operands.at(factor.operand) = of[i].q;
      if (factor.zero_point) operands.at(*factor.zero_point) = of[i].zero_point;
    }
    return rewriter_.graph().add(op, std::move(operands), integer_attributes(node), derived(node.name, "sum")).results.front();
  }

  void realize_layer(const Node& node) {
    const ValueId x = node.operands[node.op->integer.input];
    const Quantized a = *quantized(x);
    Quantized b = *quantized(node.operands[node.op->integer.weight]);
    const auto affine = affine_of_.find(&node);
    const Node* norm = affine == affine_of_.end() ? nullptr : affine->second;
    const ValueId factor = norm != nullptr ? rewriter_(norm->operand(1)) : ir::absent;
    const ValueId own_bias = rewriter_(bias_of(node));
    Accumulator sum;
    sum.bias = sum.float_bias = norm != nullptr ? rewriter_(norm->operand(2)) : own_bias;
    ValueId plain_step = ir::absent;  // of the float value, which knows of no batch-norm
    if (factor != ir::absent || (sum.bias != ir::absent && !options_.float_bias)) {
      const std::vector<ValueId> fitted =
          emit_all("fit_channels", {b.q, b.scale, a.scale, factor, options_.float_bias ? ir::absent : sum.bias},
                   derived(node.name, "weight.fitted"));
      sum.step = fitted[2];
      if (!options_.float_bias) sum.bias = fitted[3];
      plain_step = factor == ir::absent ? sum.step : fitted[4];
      sum.weight = fitted[0];
      sum.weight_scale = fitted[1];
    } else {
      sum.step = plain_step = emit("mul", {a.scale, b.scale}, derived(node.name, "sum.scale"));
      sum.weight = b.q;
      sum.weight_scale = b.scale;
    }
    b.q = sum.weight;
    sum.sum = integer_sum(node, {a, b});
    sums_[&node] = sum;
    const ValueId bias = own_bias == ir::absent ? ir::absent : sum.bias;
    if (factor == ir::absent) stands_for(node, x, sum, bias);
    rewriter_.map(node.results.front(),
                  emit("dequantize_accumulator", {sum.sum, plain_step, bias}, node.name, {{"axis", channel_axis(node)}}));
    changes_.push_back("'" + node.name + "' up to the accumulator");
  }

  // Says of which value of the source graph the sum over x and the bias are the integers.
  void stands_for(const Node& value, ValueId x, const Accumulator& sum, ValueId bias) {
    const bool integer = bias != ir::absent && !options_.float_bias;
    integer_sums_.push_back({value.results.front(), x, sum.sum, sum.weight, sum.weight_scale, sum.step, integer ? bias : ir::absent,
                             integer ? sum.float_bias : ir::absent});
  }

  // ---- what ends in a quantizer --------------------------------------------------------------------------------------

  // The integers of the chain, or absent where it has no integer form. `its` is told what there is to say of how they were made.
  ValueId integers(const Chain& chain, const Node& fake, const Quantized& y, Integers& its) {
    if (chain.root == nullptr) return ir::absent;
    const Node& root = *chain.root;
    if (is_norm(root)) return options_.integer_norms && quantized(root.operands[0]) ? normalized(chain, fake, y, its) : ir::absent;
    switch (kind(root)) {
      case IntegerForm::Kind::accumulate:
        return sums_.contains(&root) ? requantized_layer(chain, fake, y) : ir::absent;
      case IntegerForm::Kind::average:
        return quantized(root.operands[0]) ? requantized_average(chain, fake, y) : ir::absent;
      case IntegerForm::Kind::binary:
        return quantized(root.operands[0]) && quantized(root.operands[1]) ? binary(chain, fake, y) : ir::absent;
      case IntegerForm::Kind::unary:
        return quantized(root.operands[0]) ? tabulated(root, *quantized(root.operands[0]), fake.name, y) : ir::absent;
      case IntegerForm::Kind::rows:
        return options_.integer_rows && quantized(root.operands[0]) ? rows(root, *quantized(root.operands[0]), y) : ir::absent;
      case IntegerForm::Kind::move:
        return root.op->operands.front().variadic ? concatenated(root, fake, y, its) : ir::absent;
      default:
        return ir::absent;
    }
  }

  static Attributes range_of(const Quantized& y) { return {{"lo", y.lo}, {"hi", y.hi}}; }

  // A clamp narrows [lo', hi'] (N-REQ).
  ValueId clamp_range(const Chain& chain, const Quantized& y, const std::string& name) {
    if (chain.clamp == nullptr) return ir::absent;
    return emit("clamp_range", {y.scale, y.zero_point}, derived(name, "range"),
                {{"lo", y.lo}, {"hi", y.hi}, {"clamp", bounds_of(*clamp_by(*chain.clamp))}});
  }

  // N-REQ: multiplier is the scale of one step of the sum over s_y.
  ValueId requantize(ValueId sum, ValueId multiplier, ValueId bias, const Chain& chain, const Node& fake, const Quantized& y,
                     std::int64_t axis) {
    const ValueId range = clamp_range(chain, y, fake.name);
    Attributes options = range_of(y);
    options.set("axis", axis);
    if (!options_.fixed_point) return emit("requantize", {sum, multiplier, y.zero_point, bias, range}, derived(fake.name, "q"), options);
    const std::vector<ValueId> fixed = emit_all("fixed_multiplier", {multiplier}, derived(fake.name, "mantissa"));
    return emit("requantize_fixed", {sum, fixed[0], fixed[1], y.zero_point, bias, range}, derived(fake.name, "q"), options);
  }

  ValueId requantized_layer(const Chain& chain, const Node& fake, const Quantized& y) {
    const Node& layer = *chain.root;
    const Accumulator& sum = sums_.at(&layer);
    ValueId bias = sum.bias;
    if (bias != ir::absent && options_.float_bias) bias = emit("div", {bias, y.scale}, derived(layer.name, "bias.steps"));
    if (chain.affine != nullptr) stands_for(*chain.affine, layer.operands[layer.op->integer.input], sum, sum.bias);
    const ValueId multiplier = emit("div", {sum.step, y.scale}, derived(layer.name, "multiplier"));
    return requantize(sum.sum, multiplier, bias, chain, fake, y, channel_axis(layer));
  }

  // N-AFFINE: a depthwise 1x1 convolution with weights of ±64, into which the batch-norm folds as into any other (N-BN-SCALE). Where
  // scales are powers of two the factor is what gets quantized (N-BN-WEIGHT).
  ValueId normalized(const Chain& chain, const Node& fake, const Quantized& y, Integers& its) {
    const Node& norm = *chain.root;
    const Quantized x = *quantized(norm.operands[0]);
    const std::int64_t channels = source().type(norm.operands[0]).shape[1];
    const ir::Shape shape{channels, 1, 1, 1};
    const ir::ChannelAffine affine = norm.op->integer.affine({rewriter_.graph(), norm, rewriter_(norm.operands)}, ir::absent, nullptr);
    const ValueId factor = affine.factor;
    const ValueId shift = affine.shift;
    const ValueId integer_bias = options_.float_bias ? ir::absent : shift;

    std::vector<ValueId> fitted;
    if (options_.powers_of_two) {
      const ValueId weight = emit("reshape", {factor}, derived(norm.name, "weight"), {{"shape", shape}});
      const std::vector<ValueId> seen = emit_all("weight_range", {weight}, derived(norm.name, "weight.range"));
      const Attributes range{{"lo", std::int64_t{-127}}, {"hi", std::int64_t{127}}};
      Attributes powers = range;
      powers.set("symmetric", true);
      powers.set("power_of_two", true);
      const std::vector<ValueId> parameters = emit_all("affine_parameters", seen, derived(norm.name, "weight.scale"), powers);
      const ValueId q = emit("quantize", {weight, parameters[0], parameters[1]}, derived(norm.name, "weight.q"), range);
      fitted = emit_all("fit_channels", {q, parameters[0], x.scale, ir::absent, integer_bias}, derived(norm.name, "weight.fitted"));
    } else {
      const ValueId q =
          emit("constant", {}, derived(norm.name, "weight"), {{"value", 64.0}, {"shape", shape}, {"dtype", std::string("s8")}});
      const ValueId scale = emit("constant", {}, derived(norm.name, "weight.scale"), {{"value", 1.0 / 64}});
      fitted = emit_all("fit_channels", {q, scale, x.scale, factor, integer_bias}, derived(norm.name, "weight.fitted"));
    }

    const bool flat = source().type(norm.operands[0]).shape.size() == 2;
    ValueId q = x.q;
    if (flat) q = emit("reshape", {q}, derived(norm.name, "x"), {{"shape", ir::Shape{0, channels, 1, 1}}});
    Accumulator sum{ir::absent, fitted[0], fitted[1], fitted[2], options_.float_bias ? shift : fitted[3], shift};
    sum.sum = emit("conv2d_integer", {q, sum.weight, x.zero_point}, derived(norm.name, "sum"), {{"groups", channels}});
    stands_for(norm, norm.operands[0], sum, sum.bias);
    const ValueId multiplier = emit("div", {sum.step, y.scale}, derived(norm.name, "multiplier"));
    const ValueId bias = options_.float_bias ? emit("div", {shift, y.scale}, derived(norm.name, "bias.steps")) : sum.bias;
    its.rounded = requantize(sum.sum, multiplier, bias, chain, fake, y, 1);
    return flat ? emit("reshape", {its.rounded}, derived(fake.name, "flat"), {{"shape", ir::Shape{0, channels}}}) : its.rounded;
  }

  ValueId requantized_average(const Chain& chain, const Node& fake, const Quantized& y) {
    const Node& root = *chain.root;
    const Quantized x = *quantized(root.operands[0]);
    const ValueId sum = integer_sum(root, {x});
    const ValueId multiplier = emit("average_multiplier", {x.scale, y.scale}, derived(root.name, "multiplier"),
                                    {{"count", root.op->integer.count(source(), root)}});
    // One multiplier for all: the axis only has to be one that the result has.
    const std::int64_t axis = rewriter_.graph().type(sum).shape.size() > 1 ? 1 : 0;
    return requantize(sum, multiplier, ir::absent, chain, fake, y, axis);
  }

  ValueId binary(const Chain& chain, const Node& fake, const Quantized& y) {
    const Node& root = *chain.root;
    const Quantized a = *quantized(root.operands[0]);
    const Quantized b = *quantized(root.operands[1]);
    const ValueId range = clamp_range(chain, y, fake.name);
    const IntegerForm& form = root.op->integer;
    const std::string name = derived(fake.name, "q");
    if (!options_.fixed_point) {
      Attributes options = range_of(y);
      options.set("function", form.function);
      return emit("point_binary", {a.q, b.q, a.scale, a.zero_point, b.scale, b.zero_point, y.scale, y.zero_point, range}, name, options);
    }
    const std::vector<ValueId> fixed = form.multipliers({rewriter_.graph(), root, {}}, a.scale, b.scale, y.scale);
    Attributes options = integer_attributes(root);
    options.set("lo", y.lo);
    options.set("hi", y.hi);
    return emit(form.integer_op, {a.q, b.q, a.zero_point, b.zero_point, fixed[0], fixed[1], y.zero_point, range}, name, options);
  }

  ValueId lookup(const std::string& function, std::vector<double> parameters, const Quantized& x, const std::string& name,
                 const Quantized& y) {
    const ValueId table =
        emit("tabulate", {x.scale, x.zero_point, y.scale, y.zero_point}, derived(name, "table"),
             {{"function", function}, {"parameters", std::move(parameters)}, {"x_lo", x.lo}, {"x_hi", x.hi}, {"lo", y.lo}, {"hi", y.hi}});
    return emit("lookup", {x.q, table}, derived(name, "q"));
  }

  ValueId tabulated(const Node& root, const Quantized& x, const std::string& name, const Quantized& y) {
    std::vector<double> parameters;
    for (const ir::AttributeSpec& spec : root.op->attributes) parameters.push_back(root.attributes.number(spec.name));
    return lookup(root.op->integer.function, std::move(parameters), x, name, y);
  }

  // N-SOFTMAX, N-NORM. Parameters must be known before deployment.
  ValueId rows(const Node& root, const Quantized& x, const Quantized& y) {
    if (std::any_of(root.operands.begin() + 1, root.operands.end(), [&](ValueId operand) { return depends(operand); })) return ir::absent;
    return root.op->integer.rows({rewriter_.graph(), root, rewriter_(root.operands)}, x, y);
  }

  ValueId concatenated(const Node& root, const Node& fake, const Quantized& y, Integers& its) {
    for (const ValueId operand : root.operands) {
      const Quantized* x = quantized(operand);
      if (x == nullptr) return ir::absent;
    }
    for (std::size_t i = 0; i < root.operands.size(); ++i) {
      its.parts.push_back(lookup("identity", {}, *quantized(root.operands[i]), derived(fake.name, "in" + std::to_string(i)), y));
    }
    return rewriter_.graph().add(*root.op, its.parts, root.attributes, derived(fake.name, "q")).results.front();
  }

  ir::Rewriter rewriter_;
  std::vector<bool> depends_;
  Options options_;
  std::map<ValueId, Quantized> quantized_;  // by value of the old graph
  std::map<const Node*, Accumulator> sums_;
  std::map<const Node*, Chain> chains_;
  std::map<const Node*, const Node*> affine_of_;
  std::vector<std::string> changes_;
  std::vector<Integers> integers_;
  std::vector<IntegerSum> integer_sums_;
};

}  // namespace

void realize_integers(PassRegistry& registry) {
  registry.add(
      {.name = "realize_integers",
       .summary = "Replaces simulated quantization by integer arithmetic: what fake_quantize stood for is computed on integers "
                  "and dequantized where "
                  "floats are read. On training and inference graphs alike; dead_code then removes floats that nobody reads.",
       .options = {ir::choice("bias", "N-BIAS", {"int32", "float32"}),
                   ir::choice("requantization", "N-REQ", {"float", "fixed_point", "power_of_two"}),
                   ir::choice("norms", "batch-norm that folds into no layer: on integers (N-AFFINE) or in float", {"integer", "float"}),
                   ir::choice("normalization", "softmax and what else normalizes over axes: on integers (N-SOFTMAX, N-NORM) or in float",
                              {"integer", "float"})},
       .run = [](const Graph& graph, const Attributes& options) {
         const std::string& requantization = options.text("requantization");
         return Realizer(graph, {options.text("bias") == "float32", requantization == "fixed_point", requantization == "power_of_two",
                                 options.text("norms") == "integer", options.text("normalization") == "integer"})
             .run();
       }});
}

}  // namespace stair::passes
