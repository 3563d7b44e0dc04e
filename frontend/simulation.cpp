#include "frontend/simulation.h"

#include <cmath>
#include <map>
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

// An input of the double-precision graph and where it comes from: q * scale of the realized graph, a state, or the images.
struct Feed {
  enum class Kind : std::uint8_t { activation, per_channel, state, images };
  Kind kind = Kind::images;
  std::string q, scale, zero_point;  // names in the realized graph, or of the state
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
  Rebuilder(const Graph& simulated, const Graph& realized)
      : simulated_(simulated), realized_(realized), depends_(passes::depends_on_inputs(simulated)) {}

  void run() {
    mark_needed();
    map_.assign(simulated_.values().size(), ir::absent);
    for (const ValueId input : simulated_.inputs()) {
      if (needed(input)) map(input, feed(simulated_.value(input).name, simulated_.type(input), {Feed::Kind::images, "", "", ""}));
    }
    for (const ir::State& state : simulated_.states()) {
      const ir::Value& value = simulated_.value(state.value);
      if (needed(state.value)) map(state.value, feed(value.name, value.type, {Feed::Kind::state, value.name, "", ""}));
    }
    for (const Node& node : simulated_.nodes()) {
      if (node.op->name == "fake_quantize" && depends(node)) {
        cut(node);
      } else if (needed(node.results.front())) {
        rebuild(node);
      }
    }
  }

  Graph graph;
  std::vector<Feed> feeds;  // by input of `graph`
  std::vector<Quantizer> quantizers;

 private:
  bool depends(const Node& node) const { return depends_[static_cast<std::size_t>(node.operands[0])]; }
  bool needed(ValueId value) const { return needed_[static_cast<std::size_t>(value)]; }
  void map(ValueId old, ValueId made) { map_[static_cast<std::size_t>(old)] = made; }
  ValueId mapped(ValueId old) const { return old == ir::absent ? ir::absent : map_[static_cast<std::size_t>(old)]; }

  static bool is_quantizer(const Node& node) { return node.op->name == "fake_quantize" || node.op->name == "fake_binarize"; }

  void mark_needed() {
    needed_.assign(simulated_.values().size(), false);
    for (auto node = simulated_.nodes().rbegin(); node != simulated_.nodes().rend(); ++node) {
      if (is_quantizer(*node)) {
        if (node->op->name == "fake_quantize" && depends(*node)) needed_[static_cast<std::size_t>(node->operands[0])] = true;
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

  void cut(const Node& node) {
    Quantizer quantizer;
    quantizer.name = node.name;
    quantizer.value = "before." + node.name;
    quantizer.integers = {Feed::Kind::activation, node.name + ".q", simulated_.value(node.operands[1]).name,
                          simulated_.value(node.operands[2]).name};
    quantizer.range = {static_cast<std::int32_t>(node.attributes.integer("lo")), static_cast<std::int32_t>(node.attributes.integer("hi"))};
    graph.add_output(quantizer.value, mapped(node.operands[0]));
    map(node.results.front(), feed(node.name, simulated_.type(node.results.front()), quantizer.integers));
    quantizers.push_back(std::move(quantizer));
  }

  // What fit_channels made of a layer's weights and bias, where it has been realized with it.
  const Node* fitted(const Node& layer) const {
    const Node* node = realized_.producer(realized_.find(layer.name + ".weight.fitted"));
    return node != nullptr && node->op->name == "fit_channels" ? node : nullptr;
  }
  std::string result_of(const Node& node, std::size_t i) const { return realized_.value(node.results[i]).name; }
  ValueId feed_fitted_bias(const Node& fit, const std::string& layer, const ir::Type& type) {
    return feed(layer + ".bias.dequantized", type, {Feed::Kind::per_channel, result_of(fit, 3), result_of(fit, 2), ""});
  }

  void rebuild(const Node& node) {
    if (is_quantizer(node)) {
      const std::string scale = node.op->name == "fake_binarize" ? node.name + ".scale" : simulated_.value(node.operands[1]).name;
      map(node.results.front(),
          feed(node.name, simulated_.type(node.results.front()), {Feed::Kind::per_channel, node.name + ".q", scale, ""}));
      return;
    }
    std::vector<ValueId> operands;
    for (const ValueId operand : node.operands) operands.push_back(mapped(operand));
    const Node* fit = node.op->integer.kind == ir::IntegerForm::Kind::accumulate ? fitted(node) : nullptr;
    if (fit != nullptr) {
      operands[1] = feed(node.name + ".weight.dequantized", simulated_.type(node.operands[1]),
                         {Feed::Kind::per_channel, result_of(*fit, 0), result_of(*fit, 1), ""});
      if (operands.size() > 2 && fit->operands[4] != ir::absent)
        operands[2] = feed_fitted_bias(*fit, node.name, simulated_.type(node.operands[2]));
    }
    if (node.op->name == "channel_affine") use_fitted_bias(node, operands);
    if (const Node* norm = node.op->name == "batch_norm_inference" ? fitted(node) : nullptr) return rebuild_norm(node, *norm, operands);
    const Node& made = graph.add(node.op->name, std::move(operands), node.attributes, node.name);
    for (std::size_t i = 0; i < node.results.size(); ++i) map(node.results[i], made.results[i]);
  }

  // N-AFFINE: the fitted weights are the factor.
  void rebuild_norm(const Node& node, const Node& fit, const std::vector<ValueId>& operands) {
    const ir::Type channels = simulated_.type(node.operands[1]);
    const ValueId factor = feed(node.name + ".factor", channels, {Feed::Kind::per_channel, result_of(fit, 0), result_of(fit, 1), ""});
    const ValueId shift = fit.operands[4] != ir::absent
                              ? feed_fitted_bias(fit, node.name, channels)
                              : graph.emit("sub", {operands[2], graph.emit("mul", {operands[3], factor}, {}, node.name + ".moved")}, {},
                                           node.name + ".shift");
    map(node.results.front(), graph.emit("channel_affine", {operands[0], factor, shift}, {}, node.name));
  }

  // The fitted weights hold the factor, and the shift is the bias.
  void use_fitted_bias(const Node& node, std::vector<ValueId>& operands) {
    const Node* layer = simulated_.producer(node.operands[0]);
    const Node* fit = layer == nullptr ? nullptr : fitted(*layer);
    if (fit == nullptr) return;
    if (fit->operands[3] != ir::absent) operands[1] = ir::absent;
    if (fit->operands[4] != ir::absent) operands[2] = feed_fitted_bias(*fit, layer->name, simulated_.type(node.operands[2]));
  }

  const Graph& simulated_;
  const Graph& realized_;
  std::vector<bool> depends_, needed_;
  std::vector<ValueId> map_;
};

passes::Pipeline realization(const passes::Recipe& recipe) {
  passes::Pipeline pipeline;
  for (passes::Step& step : passes::quantized_evaluation(recipe)) {
    if (step.pass == "realize_integers") pipeline.push_back(std::move(step));
  }
  return pipeline;
}

}  // namespace

struct Simulation::Impl {
  runtime::Tensors& states;
  std::vector<Feed> feeds;
  std::vector<Quantizer> quantizers;
  std::optional<runtime::Executor> realized, simulated;
  std::vector<runtime::Tensor> inputs;
  runtime::Tensors no_states;

  // Everything of the realized graph that feeds or quantizers read.
  std::vector<ValueId> read_values(const Graph& graph) const {
    std::map<std::string, ValueId> names;
    const auto add = [&](const Feed& feed) {
      if (feed.kind == Feed::Kind::state || feed.kind == Feed::Kind::images) return;
      for (const std::string& name : {feed.q, feed.scale, feed.zero_point}) {
        if (name.empty()) continue;
        names[name] = graph.find(name);
        if (names[name] == ir::absent) throw InternalError("the realized graph has no '" + name + "'");
      }
    };
    for (const Feed& feed : feeds) add(feed);
    for (const Quantizer& quantizer : quantizers) add(quantizer.integers);
    std::vector<ValueId> values;
    for (const auto& [name, value] : names) values.push_back(value);
    return values;
  }

  void fill(runtime::Tensor& into, const Feed& feed, const TensorView& images) const {
    double* out = into.as<double>();
    const std::int64_t count = into.count();
    if (feed.kind == Feed::Kind::images || feed.kind == Feed::Kind::state) {
      const float* from = feed.kind == Feed::Kind::images ? images.as<float>() : states.find(feed.q)->second.as<float>();
      for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<double>(from[i]);
      return;
    }
    const TensorView q = realized->output(feed.q);
    const TensorView scale = realized->output(feed.scale);
    const std::int32_t zero_point = feed.zero_point.empty() ? 0 : realized->output(feed.zero_point).as<std::int32_t>()[0];
    const std::int64_t per_scale = count / scale.count();
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = static_cast<double>(quantized_element(q, i) - zero_point) * static_cast<double>(scale.as<float>()[i / per_scale]);
    }
  }
};

Simulation::Simulation(const Graph& model, const passes::Recipe& recipe, runtime::Tensors& states, int threads)
    : impl_(std::make_unique<Impl>(Impl{states, {}, {}, std::nullopt, std::nullopt, {}, {}})) {
  const Graph simulated = passes::run(passes::simulated_evaluation(recipe), model);
  const Graph realized = passes::run(realization(recipe), simulated);
  Rebuilder rebuilder(simulated, realized);
  rebuilder.run();
  impl_->feeds = std::move(rebuilder.feeds);
  impl_->quantizers = std::move(rebuilder.quantizers);
  runtime::initialize_states(realized, 0, states);
  impl_->realized.emplace(
      executor_for(passes::with_outputs(realized, impl_->read_values(realized)), states, {backends::all(), threads, 0}));
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
    const TensorView q = impl.realized->output(quantizer.integers.q);
    const auto scale = static_cast<double>(impl.realized->output(quantizer.integers.scale).as<float>()[0]);
    const std::int32_t zero_point = impl.realized->output(quantizer.integers.zero_point).as<std::int32_t>()[0];
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
