#include "frontend/verification/judge_graph.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "ir/error.h"
#include "ir/op.h"
#include "passes/analysis.h"
#include "passes/outputs.h"

namespace stair::verification {
namespace {

using ir::IntegerForm;
using ir::Node;
using ir::ValueId;
using Reads = OpJudge::Activations::Reads;

// Indices stay what they are.
ir::Type judged_type(ir::Type type) {
  if (type.dtype != ir::DType::i32) type.dtype = ir::DType::f64;
  return type;
}

// Of the result of a layer, or of a batch-norm by itself.
std::size_t channel_axis(const Node& layer, const ir::Shape& shape) {
  if (layer.op->integer.kind != IntegerForm::Kind::accumulate) return 1;
  const std::int64_t axis = layer.op->integer.channel_axis;
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.size()) : axis);
}

bool quantizes(const Node& node) {
  return node.op->integer.kind == IntegerForm::Kind::quantizer;
}

// Whether float32 holds the numbers that a quantizer's integers stand for.
bool is_exact(const Node& node) {
  const OpJudge* judge = op_judges().find(node.op->name);
  return judge != nullptr && judge->exact;
}

// By ValueId: whether it is read as a number. Scales, zero points and ranges of quantizers aren't: what they have to be, and what they are
// made of, is judged beside the integers (judge_constants.cpp).
std::vector<bool> read_as_numbers(const ir::Graph& graph, const passes::Result& realized) {
  std::vector<bool> read(graph.values().size(), false);
  const auto mark = [&](ValueId value) {
    if (value != ir::absent) read[static_cast<std::size_t>(value)] = true;
  };
  for (const ir::Output& output : graph.outputs()) mark(output.value);
  for (const passes::Integers& its : realized.integers) mark(its.value);
  for (const passes::IntegerSum& its : realized.sums) mark(its.value);
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    if (std::none_of(node->results.begin(), node->results.end(), [&](ValueId value) { return read[static_cast<std::size_t>(value)]; }))
      continue;
    const std::size_t operands = quantizes(*node) ? 1 : node->operands.size();
    for (std::size_t i = 0; i < operands; ++i) mark(node->operands[i]);
  }
  return read;
}

}  // namespace

JudgeGraph::JudgeGraph(const ir::Graph& simulated, const passes::Result& realized)
    : simulated_(simulated), realized_(realized), depends_(passes::depends_on_inputs(simulated)), numbers_(simulated.values().size()) {
  for (const passes::Integers& its : realized.integers) integers_[its.value] = its;
  for (const passes::IntegerSum& its : realized.sums) sums_of_[its.value] = &its;
  for (std::size_t i = 0; i < simulated_.inputs().size(); ++i) {
    const ValueId input = simulated_.inputs()[i];
    JudgeFeed from;
    from.input = i;
    number(input).value = feed(simulated_.type(input), from);
  }
  for (const ir::State& state : simulated_.states()) {
    const ir::Type& type = simulated_.type(state.value);
    if (!ir::is_float(type.dtype)) continue;
    JudgeFeed from{JudgeFeed::Kind::state, true};
    from.state = simulated_.value(state.value).name;
    number(state.value).value = feed(type, std::move(from));
  }
  const std::vector<bool> read = read_as_numbers(simulated_, realized_);
  for (const Node& node : simulated_.nodes()) {
    const ValueId made = node.results.front();
    if (!read[static_cast<std::size_t>(made)]) continue;
    if (!ir::is_float(simulated_.type(made).dtype)) {
      indices(node);
    } else if (quantizes(node)) {
      quantizer(node);
    } else if (const auto its = sums_of_.find(made); its != sums_of_.end()) {
      sum(node, *its->second);
    } else {
      number(made) = append_bounded(graph_, simulated_, node, numbers(node));
      if (node.op->integer.kind == IntegerForm::Kind::move) move(node);
    }
  }
  for (const JudgeSum& its : sums) exact_site(its.sum.sum, ir::absent, totals_.at(its.sum.value));
  for (const ir::Output& output_of : simulated_.outputs()) {
    if (!ir::is_float(simulated_.type(output_of.value).dtype) || integers_.contains(output_of.value)) continue;
    floats.push_back({output_of.name, realized_.graph.output(output_of.name), output(number(output_of.value), activation_outputs_)});
  }
  constants = passes::with_outputs(graph_, constant_outputs_);
  activations = passes::with_outputs(graph_, activation_outputs_);
}

std::vector<Bounded> JudgeGraph::numbers(const Node& node) const {
  std::vector<Bounded> operands;
  for (const ValueId operand : node.operands)
    operands.push_back(operand == ir::absent ? Bounded{} : numbers_[static_cast<std::size_t>(operand)]);
  return operands;
}

// Integers that stand for nothing else: moved, or as the realized graph has them.
void JudgeGraph::indices(const Node& node) {
  const ValueId made = node.results.front();
  const bool moves = node.op->integer.kind == IntegerForm::Kind::move;
  if (moves) {
    std::vector<ValueId> operands;
    for (const Bounded& operand : numbers(node)) operands.push_back(operand.value);
    number(made).value = graph_.add(*node.op, std::move(operands), node.attributes).results.front();
    return;
  }
  const ValueId realized = realized_.graph.find(simulated_.value(made).name);
  if (node.op->integer.kind == IntegerForm::Kind::order && depends(made)) {
    const ValueId x = node.operands.front();
    JudgeSite site;
    site.kind = JudgeSite::Kind::order;
    site.name = node.name;
    site.root = &node;
    site.integers.q = realized;
    site.made = realized_.graph.producer(realized);
    site.number = output(units(x) == ir::absent ? number(x) : Bounded{units(x), ir::absent}, activation_outputs_);
    sites.push_back(std::move(site));
  }
  JudgeFeed from{JudgeFeed::Kind::units, !depends(made), realized};
  number(made).value = feed(simulated_.type(made), std::move(from));
}

ValueId JudgeGraph::feed(const ir::Type& like, JudgeFeed from) {
  feeds.push_back(std::move(from));
  return graph_.add_input(graph_.unique_name("in"), judged_type(like));
}

ValueId JudgeGraph::units(ValueId simulated) const {
  const auto it = units_.find(simulated);
  return it == units_.end() ? ir::absent : it->second;
}

// An output of its own, also of what is an input or another output.
JudgeOutput JudgeGraph::output(const Bounded& value, std::vector<ValueId>& among) {
  JudgeOutput made;
  for (const auto& [from, name] : {std::pair{value.value, &made.value}, std::pair{value.error, &made.error}}) {
    if (from == ir::absent) continue;
    among.push_back(scaled(graph_, from, 1));
    *name = graph_.value(among.back()).name;
  }
  return made;
}

void JudgeGraph::quantizer(const Node& node) {
  const ValueId made = node.results.front();
  const passes::Integers& its = integers_.at(made);
  const bool constant = !depends(node.operands[0]);
  if (constant) {
    weights.push_back({&node, its, output(number(node.operands[0]), constant_outputs_)});
  } else {
    activation(node);
  }
  const ir::Type& type = simulated_.type(made);
  JudgeFeed of_units{JudgeFeed::Kind::units, constant, its.q, ir::absent, its.zero_point};
  units_[made] = feed(type, std::move(of_units));
  JudgeFeed of_numbers{JudgeFeed::Kind::numbers, constant, its.q, its.scale, its.zero_point};
  const ValueId value = feed(type, std::move(of_numbers));
  number(made) = {value, is_exact(node) ? ir::absent : scaled(graph_, magnitude(graph_, value), float_unit)};
}

// What makes the site's integers takes those of x, a value of the simulated graph, alone.
void JudgeGraph::read_table(JudgeSite& site, ValueId x) {
  if (units(x) == ir::absent) throw InternalError("'" + site.made->name + "' reads what isn't quantized");
  site.kind = JudgeSite::Kind::integers;
  site.x = integers_.at(x);
  site.table_offset = realized_.graph.type(site.made->operands[0]).dtype == ir::DType::s8 ? 128 : 0;
  site.number = output({units(x), ir::absent}, activation_outputs_);
}

void JudgeGraph::activation(const Node& node) {
  JudgeSite site;
  site.name = simulated_.value(node.operands[0]).name;
  site.fake = &node;
  site.integers = integers_.at(node.results.front());
  site.range = {static_cast<std::int32_t>(node.attributes.integer("lo")), static_cast<std::int32_t>(node.attributes.integer("hi"))};
  site.made = realized_.graph.producer(site.integers.rounded);
  if (site.made == nullptr) throw InternalError("nothing makes the integers of '" + node.name + "'");
  ValueId before = node.operands[0];
  // What the integer node takes in stands in its range; a clamp that is more than that would change the integers below.
  if (site.integers.clamp != ir::absent) {
    site.clamp = simulated_.producer(before);
    if (before != site.integers.clamp || !site.clamp->op->clamp) throw InternalError("'" + site.made->name + "' takes in no clamp");
    before = site.clamp->operands[0];
  }
  const Node* producer = site.root = simulated_.producer(before);
  const auto read = [&](std::size_t operand) {
    const auto its = integers_.find(producer == nullptr ? ir::absent : producer->operand(operand));
    return its == integers_.end() ? passes::Integers{} : its->second;
  };
  site.x = read(0);
  site.x2 = read(1);
  if (!site.integers.parts.empty()) {
    site.kind = JudgeSite::Kind::exact;
    site.number = output({concatenated(*producer, site), ir::absent}, activation_outputs_);
    sites.push_back(std::move(site));
    return;
  }
  site.judge = &*judged_by(*site.made, &OpJudge::activations);
  switch (site.judge->reads) {
    case Reads::floats:
      site.number = output(number(before), activation_outputs_);
      break;
    case Reads::sum:
      rescaled(site, before);
      break;
    case Reads::integers:
      if (producer == nullptr) throw InternalError("'" + site.made->name + "' reads what no node makes");
      read_table(site, producer->operands[0]);
      for (std::size_t i = 1; i < producer->operands.size(); ++i)
        site.parameters.push_back(output(number(producer->operands[i]), constant_outputs_));
      break;
    case Reads::pair: {
      const ValueId a = producer == nullptr ? ir::absent : units(producer->operand(0));
      const ValueId b = producer == nullptr ? ir::absent : units(producer->operand(1));
      if (a == ir::absent || b == ir::absent) throw InternalError("'" + site.made->name + "' reads what isn't quantized");
      site.kind = JudgeSite::Kind::pair;
      site.first = output({total(graph_, a, scaled(graph_, b, 0)), ir::absent}, activation_outputs_);
      site.second = output({total(graph_, b, scaled(graph_, a, 0)), ir::absent}, activation_outputs_);
    }
  }
  sites.push_back(std::move(site));
}

// The sum of a layer, or of an average, of which `before` is the value as a float.
void JudgeGraph::rescaled(JudgeSite& site, ValueId before) {
  const Node* producer = site.root;
  if (const auto its = sums_of_.find(before); its != sums_of_.end()) {
    site.kind = JudgeSite::Kind::sum;
    site.sum = its->second;
    const ir::Shape& shape = simulated_.type(before).shape;
    for (std::size_t d = channel_axis(layer_of(*producer), shape) + 1; d < shape.size(); ++d) site.inner *= shape[d];
    site.number = output({totals_.at(before), ir::absent}, activation_outputs_);
  } else if (producer != nullptr && producer->op->integer.kind == IntegerForm::Kind::average &&
             units(producer->operands[0]) != ir::absent) {
    site.kind = JudgeSite::Kind::average;
    site.count = static_cast<double>(producer->op->integer.count(simulated_, *producer));
    const ValueId mean = graph_.add(*producer->op, {units(producer->operands[0])}, producer->attributes).results.front();
    site.number = output({mean, ir::absent}, activation_outputs_);
    exact_site(site.made->operands[0], ir::absent, mean, site.count);
  } else {
    throw InternalError("'" + site.made->name + "' rescales no sum that the simulated graph has");
  }
}

// The layer that a batch-norm folds into, or the node itself.
const Node& JudgeGraph::layer_of(const Node& node) const {
  return node.op->integer.kind == IntegerForm::Kind::affine ? *simulated_.producer(node.operands[0]) : node;
}

// Each operand has been through a table of its own, to the scale of the result.
ValueId JudgeGraph::concatenated(const Node& node, const JudgeSite& site) {
  std::vector<ValueId> parts;
  for (std::size_t i = 0; i < node.operands.size(); ++i) {
    const ValueId q = site.integers.parts.at(i);
    JudgeSite part;
    part.name = realized_.graph.value(q).name;
    part.constant = !depends(node.operands[i]);
    part.integers = {ir::absent, q, site.integers.scale, site.integers.zero_point};
    part.range = site.range;
    part.made = realized_.graph.producer(q);
    if (part.made == nullptr || site.made->operands.at(i) != q) throw InternalError("'" + site.made->name + "' reads other integers");
    part.judge = &*judged_by(*part.made, &OpJudge::activations);
    if (part.judge->reads != Reads::integers) throw InternalError("'" + site.made->name + "' reads other integers than those of tables");
    read_table(part, node.operands[i]);
    sites.push_back(std::move(part));
    parts.push_back(feed(simulated_.type(node.operands[i]), {JudgeFeed::Kind::units, false, q, ir::absent, site.integers.zero_point}));
  }
  return graph_.add(*node.op, std::move(parts), node.attributes).results.front();
}

// Integers that others alone decide, less their zero point.
void JudgeGraph::exact_site(ValueId q, ValueId zero_point, ValueId number, double count) {
  JudgeSite site;
  site.kind = JudgeSite::Kind::exact;
  site.name = realized_.graph.value(q).name;
  site.integers = {ir::absent, q, ir::absent, zero_point};
  site.made = realized_.graph.producer(q);
  site.number = output({number, ir::absent}, activation_outputs_);
  site.count = count;
  sites.push_back(std::move(site));
}

// Integers move as the floats do where all of them have one scale and zero point.
void JudgeGraph::move(const Node& node) {
  const auto its = integers_.find(node.results.front());
  if (its == integers_.end()) return;
  std::vector<ValueId> operands;
  for (std::size_t i = 0; i < moved_operands(node); ++i) {
    const ValueId operand = node.operands[i];
    const auto other = integers_.find(operand);
    if (units(operand) == ir::absent || other == integers_.end() || other->second.scale != its->second.scale) return;
    operands.push_back(units(operand));
  }
  for (std::size_t i = operands.size(); i < node.operands.size(); ++i) operands.push_back(number(node.operands[i]).value);
  const ValueId moved = graph_.add(*node.op, std::move(operands), node.attributes).results.front();
  units_[node.results.front()] = moved;
  if (depends(node.results.front())) exact_site(its->second.q, its->second.zero_point, moved);
}

void JudgeGraph::sum(const Node& node, const passes::IntegerSum& its) {
  const ValueId made = node.results.front();
  const bool alone = node.op->integer.kind == IntegerForm::Kind::normalize;
  const Node& layer = layer_of(node);
  const bool folded = &layer != &node;
  const ir::Shape& shape = simulated_.type(made).shape;
  const std::size_t axis = channel_axis(layer, shape);
  const ir::Type channels{ir::DType::f64, {shape[axis]}};
  const auto channel_feed = [&](JudgeFeed::Kind kind, ValueId q, ValueId scale) {
    JudgeFeed from{kind, true, q, scale};
    return feed(channels, std::move(from));
  };

  ValueId exact = ir::absent;
  JudgeSum judged;
  judged.sum = its;
  judged.alone = alone;
  if (alone) {
    exact = graph_.emit("channel_affine", {units(its.x), channel_feed(JudgeFeed::Kind::units, its.weight, ir::absent)});
  } else {
    const ValueId latent = layer.operands[layer.op->integer.weight];
    ValueId weight = units(latent);
    if (!depends(latent)) {
      judged.weights = integers_.at(latent);
      JudgeFeed from{JudgeFeed::Kind::units, true, its.weight};
      weight = feed(simulated_.type(latent), std::move(from));
    }
    exact = graph_.add(*layer.op, {units(its.x), weight}, layer.attributes).results.front();
  }
  totals_[made] = exact;

  // Factor and bias as floats: of the fold, of the batch-norm by itself, of the layer.
  Bounded bias, factor;
  if (alone) {
    std::tie(factor, bias) = judged_by(node, &OpJudge::affine)(graph_, node, numbers(node));
  } else {
    if (folded && node.operands[1] != ir::absent) factor = number(node.operands[1]);
    const ValueId added = folded ? node.operand(2) : node.op->integer.bias ? node.operand(*node.op->integer.bias) : ir::absent;
    if (added != ir::absent) bias = number(added);
  }
  judged.factor = output(factor, constant_outputs_);
  judged.bias = output(bias, constant_outputs_);
  // Of a layer and the batch-norm that folds into it, which have one sum, the latter says what its constants are.
  std::erase_if(sums, [&](const JudgeSum& other) { return other.sum.sum == its.sum; });
  sums.push_back(std::move(judged));

  // What the sum is as a number: (sum + bias) step, or sum step + bias.
  const ValueId step = channel_feed(JudgeFeed::Kind::floats, its.step, ir::absent);
  const ValueId shift = its.bias != ir::absent ? channel_feed(JudgeFeed::Kind::numbers, its.bias, its.step) : bias.value;
  const auto by_channel = [&](ValueId x, ValueId s, ValueId b) {
    if (axis + 1 < shape.size()) return graph_.emit("channel_affine", {x, s, b});
    return total(graph_, graph_.emit("mul", {x, s}), b);
  };
  const ValueId value = by_channel(exact, step, shift);
  const ValueId product = its.bias != ir::absent || shift == ir::absent ? value : by_channel(exact, step, ir::absent);
  ValueId error = scaled(graph_, magnitude(graph_, product), 2 * float_unit);
  if (its.bias == ir::absent && shift != ir::absent) {
    error = total(graph_, error, scaled(graph_, magnitude(graph_, value), float_unit));
    if (bias.error != ir::absent) error = total(graph_, error, by_channel(scaled(graph_, exact, 0), step, bias.error));
  }
  number(made) = {value, error};
}

}  // namespace stair::verification
