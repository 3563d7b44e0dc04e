#include "frontend/simulation.h"

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "ir/error.h"
#include "ir/numerics.h"
#include "ir/op.h"
#include "passes/analysis.h"
#include "passes/outputs.h"

namespace stair::driver {
namespace {

using ir::Graph;
using ir::Node;
using ir::TensorView;
using ir::ValueId;

ir::Type in_double(ir::Type type) {
  if (type.dtype == ir::DType::f32) type.dtype = ir::DType::f64;
  return type;
}

std::int64_t quantized_element(const TensorView& q, std::int64_t i) {
  if (q.type.dtype == ir::DType::u8) return q.as<std::uint8_t>()[i];
  if (q.type.dtype == ir::DType::s8) return q.as<std::int8_t>()[i];
  return q.as<std::int32_t>()[i];
}

// An input of the double-precision graph and where it comes from; values of the realized graph.
struct Feed {
  enum class Kind : std::uint8_t { integers, weights, state, images };
  Kind kind = Kind::images;
  ValueId q = ir::absent, scale = ir::absent, zero_point = ir::absent;  // integers: (q - zero_point) * scale
  ValueId x_scale = ir::absent;                                         // weights: q * scale / x_scale
  std::string state = {};
};

struct Quantizer {
  std::string name;   // of the fake_quantize
  std::string value;  // output of the double-precision graph: what it quantizes
  Feed integers;
  ir::Range range;
};

// Rebuilds the simulated graph in double precision, cut at its quantizers.
class Rebuilder {
 public:
  Rebuilder(const Graph& simulated, const passes::Result& realized)
      : simulated_(simulated), depends_(passes::depends_on_inputs(simulated)) {
    for (const passes::Integers& integers : realized.integers) integers_[integers.value] = integers;
    for (const passes::IntegerSum& sum : realized.sums) sums_[sum.value] = sum;
  }

  void run() {
    mark_needed();
    map_.assign(simulated_.values().size(), ir::absent);
    for (const ValueId input : simulated_.inputs()) {
      if (needed(input)) map(input, feed(simulated_.value(input).name, simulated_.type(input), {}));
    }
    for (const ir::State& state : simulated_.states()) {
      const ir::Value& value = simulated_.value(state.value);
      Feed from;
      from.kind = Feed::Kind::state;
      from.state = value.name;
      if (needed(state.value)) map(state.value, feed(value.name, value.type, from));
    }
    for (const Node& node : simulated_.nodes()) {
      if (is_quantizer(node) && depends(node)) {
        cut(node);
      } else if (needed(node.results.front())) {
        rebuild(node);
      }
    }
    // What integers replaced in part.
    graph = passes::run(passes::Pipeline{{"dead_code"}}, std::move(graph));
  }

  Graph graph;
  std::vector<Feed> feeds;  // by input of `graph`
  std::vector<Quantizer> quantizers;

 private:
  bool depends(ValueId value) const { return depends_[static_cast<std::size_t>(value)]; }
  bool depends(const Node& node) const { return depends(node.operands[0]); }
  bool needed(ValueId value) const { return needed_[static_cast<std::size_t>(value)]; }
  void map(ValueId old, ValueId made) { map_[static_cast<std::size_t>(old)] = made; }
  ValueId mapped(ValueId old) const { return old == ir::absent ? ir::absent : map_[static_cast<std::size_t>(old)]; }

  static bool is_quantizer(const Node& node) { return node.op->name == "fake_quantize" || node.op->name == "fake_binarize"; }

  void mark_needed() {
    needed_.assign(simulated_.values().size(), false);
    for (auto node = simulated_.nodes().rbegin(); node != simulated_.nodes().rend(); ++node) {
      if (is_quantizer(*node)) {
        if (depends(*node)) needed_[static_cast<std::size_t>(node->operands[0])] = true;
        continue;  // its operands' values come from the realized graph
      }
      bool any = false;
      for (const ValueId result : node->results) any = any || needed(result);
      if (!any) continue;
      for (const ValueId operand : node->operands) {
        if (operand != ir::absent) needed_[static_cast<std::size_t>(operand)] = true;
      }
    }
  }

  ValueId feed(const std::string& name, const ir::Type& type, Feed from) {
    feeds.push_back(std::move(from));
    return graph.add_input(graph.unique_name(name), in_double(type));
  }
  static Feed integers(ValueId q, ValueId scale, ValueId zero_point) {
    return {Feed::Kind::integers, q, scale, zero_point, ir::absent, ""};
  }
  Feed integers_of(ValueId value) const {
    const passes::Integers& its = integers_.at(value);
    return integers(its.q, its.scale, its.zero_point);
  }

  void cut(const Node& node) {
    const ValueId quantized = node.results.front();
    Quantizer quantizer{
        node.name,
        "before " + node.name,
        integers_of(quantized),
        {static_cast<std::int32_t>(node.attributes.integer("lo")), static_cast<std::int32_t>(node.attributes.integer("hi"))}};
    graph.add_output(quantizer.value, mapped(node.operands[0]));
    map(quantized, feed(node.name, simulated_.type(quantized), quantizer.integers));
    quantizers.push_back(std::move(quantizer));
  }

  void rebuild(const Node& node) {
    const ValueId made = node.results.front();
    if (is_quantizer(node)) return map(made, feed(node.name, simulated_.type(made), integers_of(made)));
    if (const auto sum = sums_.find(made); sum != sums_.end()) {
      return node.op->name == "batch_norm_inference" ? rebuild_norm(node, sum->second) : rebuild_sum(node, sum->second);
    }
    std::vector<ValueId> operands;
    for (const ValueId operand : node.operands) operands.push_back(mapped(operand));
    const Node& copy = graph.add(node.op->name, std::move(operands), node.attributes, node.name);
    for (std::size_t i = 0; i < node.results.size(); ++i) map(node.results[i], copy.results[i]);
  }

  // A layer with the weights and the bias that its integers stand for; batch-norm that folds into it is in them.
  void rebuild_sum(const Node& node, const passes::IntegerSum& sum) {
    const bool folded = node.op->name == "channel_affine";
    const Node& layer = folded ? *simulated_.producer(node.operands[0]) : node;
    ValueId weight = mapped(layer.operands[1]);
    if (!depends(layer.operands[1])) {
      weight = feed(layer.name, simulated_.type(layer.operands[1]),
                    {Feed::Kind::weights, sum.weight, sum.step, ir::absent, integers_.at(sum.x).scale, ""});
    }
    const ValueId old_bias = node.operands.size() > 2 && node.op->name != "matmul" ? node.operands[2] : ir::absent;
    ValueId bias = mapped(old_bias);
    if (sum.bias != ir::absent) bias = feed(node.name, simulated_.type(old_bias), integers(sum.bias, sum.step, ir::absent));
    map(node.results.front(), graph.emit(layer.op->name, {mapped(sum.x), weight, bias}, layer.attributes, node.name));
  }

  // A batch-norm by itself (N-AFFINE): its weights are the factor, beta - mean * factor is the bias.
  void rebuild_norm(const Node& node, const passes::IntegerSum& sum) {
    const ir::Type channels = simulated_.type(node.operands[1]);
    const ValueId factor =
        feed(node.name, channels, {Feed::Kind::weights, sum.weight, sum.step, ir::absent, integers_.at(sum.x).scale, ""});
    const ValueId moved = graph.emit("mul", {mapped(node.operands[3]), factor}, {}, node.name + ".moved");
    const ValueId shift = sum.bias != ir::absent ? feed(node.name, channels, integers(sum.bias, sum.step, ir::absent))
                                                 : graph.emit("sub", {mapped(node.operands[2]), moved}, {}, node.name + ".shift");
    map(node.results.front(), graph.emit("channel_affine", {mapped(sum.x), factor, shift}, {}, node.name));
  }

  const Graph& simulated_;
  std::map<ValueId, passes::Integers> integers_;
  std::map<ValueId, passes::IntegerSum> sums_;
  std::vector<bool> depends_, needed_;
  std::vector<ValueId> map_;
};

passes::Step realization(const passes::Recipe& recipe) {
  for (passes::Step& step : passes::quantized_evaluation(recipe)) {
    if (step.pass == "realize_integers") return step;
  }
  throw InternalError("evaluation without integers");
}

}  // namespace

struct Simulation::Impl {
  runtime::Tensors& states;
  std::vector<Feed> feeds;
  std::vector<Quantizer> quantizers;
  std::optional<runtime::Executor> realized, simulated;
  std::vector<runtime::Tensor> inputs;
  runtime::Tensors no_states;
  std::vector<std::string> names;  // of the realized graph's values

  // Everything of the realized graph that feeds read.
  std::vector<ValueId> read_values() const {
    std::set<ValueId> values;
    for (const Feed& feed : feeds) values.insert({feed.q, feed.scale, feed.zero_point, feed.x_scale});
    values.erase(ir::absent);
    return {values.begin(), values.end()};
  }

  TensorView value(ValueId realized_value) const { return realized->output(names[static_cast<std::size_t>(realized_value)]); }

  void fill(runtime::Tensor& into, const Feed& feed, const TensorView& images) const {
    double* out = into.as<double>();
    const std::int64_t count = into.count();
    if (feed.kind == Feed::Kind::images || feed.kind == Feed::Kind::state) {
      const float* from = feed.kind == Feed::Kind::images ? images.as<float>() : states.find(feed.state)->second.as<float>();
      for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<double>(from[i]);
      return;
    }
    const TensorView q = value(feed.q);
    const TensorView scale = value(feed.scale);
    const std::int32_t zero_point = feed.zero_point == ir::absent ? 0 : value(feed.zero_point).as<std::int32_t>()[0];
    const double divisor = feed.x_scale == ir::absent ? 1 : static_cast<double>(value(feed.x_scale).as<float>()[0]);
    const std::int64_t per_scale = count / scale.count();
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = static_cast<double>(quantized_element(q, i) - zero_point) * static_cast<double>(scale.as<float>()[i / per_scale]) / divisor;
    }
  }
};

Simulation::Simulation(const Graph& model, const passes::Recipe& recipe, runtime::Tensors& states, int threads)
    : impl_(std::make_unique<Impl>(Impl{states, {}, {}, std::nullopt, std::nullopt, {}, {}, {}})) {
  const Graph simulated = passes::run(passes::simulated_evaluation(recipe), model);
  const passes::Result realized = passes::run(realization(recipe), simulated);
  Rebuilder rebuilder(simulated, realized);
  rebuilder.run();
  impl_->feeds = std::move(rebuilder.feeds);
  impl_->quantizers = std::move(rebuilder.quantizers);
  runtime::initialize_states(realized.graph, 0, states);
  for (const ir::Value& value : realized.graph.values()) impl_->names.push_back(value.name);
  impl_->realized.emplace(executor_for(passes::with_outputs(realized.graph, impl_->read_values()), states, {backends::all(), threads, 0}));
  for (const ValueId input : rebuilder.graph.inputs()) impl_->inputs.emplace_back(rebuilder.graph.type(input));
  impl_->simulated.emplace(executor_for(std::move(rebuilder.graph), impl_->no_states, {{&backends::named("reference")}, threads, 0}));
}

Simulation::~Simulation() = default;

void Simulation::compare(const TensorView& images, std::int64_t first_image, std::int64_t count, std::vector<SimulationComparison>& into) {
  Impl& impl = *impl_;
  impl.realized->run({&images, 1});
  std::vector<TensorView> inputs;
  for (std::size_t i = 0; i < impl.feeds.size(); ++i) {
    impl.fill(impl.inputs[i], impl.feeds[i], images);
    inputs.push_back(impl.inputs[i].view());
  }
  impl.simulated->run(inputs);
  if (into.empty()) {
    for (const Quantizer& quantizer : impl.quantizers) into.push_back({quantizer.name, 0, 0, 0, std::nullopt});
  }
  for (std::size_t n = 0; n < impl.quantizers.size(); ++n) {
    const Quantizer& quantizer = impl.quantizers[n];
    const TensorView value = impl.simulated->output(quantizer.value);
    const TensorView q = impl.value(quantizer.integers.q);
    const auto scale = static_cast<double>(impl.value(quantizer.integers.scale).as<float>()[0]);
    const std::int32_t zero_point = impl.value(quantizer.integers.zero_point).as<std::int32_t>()[0];
    const std::int64_t per_image = value.count() / images.dim(0);
    SimulationComparison& report = into[n];
    report.elements += per_image * count;
    for (std::int64_t i = 0; i < per_image * count; ++i) {
      const std::int64_t expected = ir::quantize(value.as<double>()[i], scale, zero_point, quantizer.range);
      const std::int64_t found = quantized_element(q, i);
      if (expected == found) continue;
      if (std::abs(expected - found) == 1) {
        ++report.off_by_one;
        continue;
      }
      ++report.off_by_more;
      if (!report.first) {
        report.first = Difference{quantizer.name,
                                  "fake_quantize",
                                  first_image + i / per_image,
                                  i % per_image,
                                  static_cast<double>(expected),
                                  static_cast<double>(found)};
      }
    }
  }
}

}  // namespace stair::driver
