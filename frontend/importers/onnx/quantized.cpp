#include "frontend/importers/onnx/quantized.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "ir/op.h"
#include "passes/pipelines.h"

namespace stair::frontend::onnx {
namespace {

using ir::IntegerForm;
using ir::ValueId;

bool moves(const ir::Node& node) {
  return node.op->integer.kind == IntegerForm::Kind::move && !node.op->operands.front().variadic;
}

runtime::Tensor tensor_of_floats(const std::vector<float>& values) {
  runtime::Tensor made({ir::DType::f32, {static_cast<std::int64_t>(values.size())}});
  std::copy(values.begin(), values.end(), made.as<float>());
  return made;
}

class Quantizing {
 public:
  Quantizing(Made& made, const Quantization& quantization, const std::string& path)
      : made_(made), graph_(made.graph), quantization_(quantization), path_(path) {}

  void run() {
    const passes::Recipe recipe = read_recipe("fixed");
    if (!made_.problems.empty()) return;
    const ir::Graph simulated = passes::run(passes::simulated_evaluation(recipe), graph_);
    std::set<std::string> ours;
    for (const ir::Node& node : simulated.nodes()) {
      if (node.op->integer.kind != IntegerForm::Kind::quantizer) continue;
      const ir::Node* scale = simulated.producer(node.operands[1]);
      if (scale == nullptr || simulated.state(scale->operands.front()) == nullptr) continue;  // of a constant, which has its own
      if (scale->operands.size() == 1) {
        add_weights(simulated, node, *scale);
      } else {
        add_activation(simulated, node, *scale, ours);
      }
    }
    check_biases(simulated);
    check_unused(ours);
    if (!made_.problems.empty()) return;
    add_ranges();
    made_.recipe = recipe;
  }

 private:
  void problem(const std::string& layer, const std::string& message) {
    made_.problems.push_back(fmt::format("layer '{}': {}", layer, message));
  }

  static std::string said(const QuantizedValue& its) {
    return fmt::format("scale {}, zero point {}, {} bits", its.scale, its.zero_point, its.bits);
  }

  std::vector<const ir::Node*> readers(ValueId value) const {
    std::vector<const ir::Node*> all;
    for (const ir::Node& node : graph_.nodes()) {
      if (std::find(node.operands.begin(), node.operands.end(), value) != node.operands.end()) all.push_back(&node);
    }
    return all;
  }

  // That of the value, or of what only moves it.
  const QuantizedValue* quantized(ValueId value) const {
    const auto it = quantization_.values.find(graph_.value(value).name);
    if (it != quantization_.values.end()) return &it->second;
    const std::vector<const ir::Node*> all = readers(value);
    return all.size() == 1 && moves(*all.front()) ? quantized(all.front()->results.front()) : nullptr;
  }
  const QuantizedValue* quantized_above(ValueId value) const {
    const auto it = quantization_.values.find(graph_.value(value).name);
    if (it != quantization_.values.end()) return &it->second;
    const ir::Node* producer = graph_.producer(value);
    return producer != nullptr && moves(*producer) ? quantized_above(producer->operands.front()) : nullptr;
  }

  passes::Recipe read_recipe(const std::string& observer) {
    bool full = false;
    const auto is_symmetric = [](const auto& each) { return each.second.symmetric; };
    const bool symmetric = std::any_of(quantization_.values.begin(), quantization_.values.end(), is_symmetric);
    if (symmetric && !std::all_of(quantization_.values.begin(), quantization_.values.end(), is_symmetric)) {
      for (const auto& [layer, its] : quantization_.values) {
        if (!its.symmetric)
          problem(layer, fmt::format("is quantized from {} to {}, and others symmetrically, expected one way for all", its.lo(), its.hi()));
      }
    }
    ir::Json overrides = ir::Json::array();
    for (const auto& [layer, its] : quantization_.values) {
      if (its.bits != 8) overrides.push_back({{"pattern", layer}, {"activation_bits", its.bits}});
    }
    for (const ir::Node& node : graph_.nodes()) {
      if (node.op->integer.kind != IntegerForm::Kind::accumulate) continue;
      const ValueId weight = node.operands[node.op->integer.weight];
      const auto its = quantization_.constants.find(graph_.value(weight).name);
      const bool has_weights = graph_.state(weight) != nullptr;
      const bool in_float =
          has_weights ? its == quantization_.constants.end() : quantized_above(node.operands[node.op->integer.input]) == nullptr;
      if (in_float) overrides.push_back({{"pattern", node.name}, {"skip", true}});
      if (!has_weights || in_float) continue;
      full = full || its->second->full;
      if (its->second->bits != 8) overrides.push_back({{"pattern", node.name}, {"weight_bits", its->second->bits}});
    }
    std::size_t integers = 0;
    for (const ir::Output& output : graph_.outputs()) integers += quantized_above(output.value) != nullptr ? 1 : 0;
    if (integers != 0 && integers != graph_.outputs().size())
      made_.problems.push_back(fmt::format("{} of {} outputs are quantized, expected all or none", integers, graph_.outputs().size()));
    ir::Json json{{"name", "imported"},
                  {"weights", {{"method", "lsq"}, {"narrow_range", !full}}},
                  {"activations", {{"observer", observer}, {"symmetric", symmetric}}},
                  {"quantize_output", integers > 0}};
    if (!overrides.empty()) json["overrides"] = std::move(overrides);
    return passes::read_recipe(json, path_, "/recipe");
  }

  void add_activation(const ir::Graph& simulated, const ir::Node& node, const ir::Node& parameters, std::set<std::string>& ours) {
    const std::string& name = simulated.value(node.operands[0]).name;
    const ValueId value = graph_.find(name);
    const QuantizedValue* its = value == ir::absent ? nullptr : quantized(value);
    if (its == nullptr) return problem(name, "isn't quantized in the file, and what reads it computes on integers");
    ours.insert(name);
    if (node.attributes.integer("lo") != its->lo() || node.attributes.integer("hi") != its->hi()) {
      return problem(name, fmt::format("is quantized to {} to {}, the file has {} to {}", node.attributes.integer("lo"),
                                       node.attributes.integer("hi"), its->lo(), its->hi()));
    }
    runtime::Tensor zero_point({ir::DType::i32, {1}});
    *zero_point.as<std::int32_t>() = its->zero_point;
    made_.weights.insert_or_assign(simulated.value(parameters.operands[0]).name, tensor_of_floats({its->scale}));
    made_.weights.insert_or_assign(simulated.value(parameters.operands[1]).name, std::move(zero_point));
  }

  void add_weights(const ir::Graph& simulated, const ir::Node& node, const ir::Node& scale) {
    const std::string& name = simulated.value(node.operands[0]).name;
    const auto its = quantization_.constants.find(name);
    if (its == quantization_.constants.end()) return problem(name, "are no integers in the file");
    const ValueId step = scale.operands.front();
    const auto count = static_cast<std::size_t>(simulated.type(step).shape.front());
    std::vector<float> steps = its->second->scale;
    if (steps.size() == 1) steps.assign(count, steps.front());
    if (steps.size() != count) return problem(name, fmt::format("have {} scales in the file, expected 1 or {}", steps.size(), count));
    made_.weights.insert_or_assign(simulated.value(step).name, tensor_of_floats(steps));
  }

  // The scale of what the simulated layer reads.
  const float* scale_read(const ir::Graph& simulated, ValueId value) const {
    const ir::Node* node = simulated.producer(value);
    while (node != nullptr && moves(*node)) node = simulated.producer(node->operands.front());
    if (node == nullptr || node->op->integer.kind != IntegerForm::Kind::quantizer) return nullptr;
    const ir::Node* parameters = simulated.producer(node->operands[1]);
    if (parameters == nullptr) return nullptr;
    const auto it = made_.weights.find(simulated.value(parameters->operands[0]).name);
    return it == made_.weights.end() ? nullptr : it->second.as<float>();
  }

  void check_biases(const ir::Graph& simulated) {
    for (const ir::Node& node : simulated.nodes()) {
      if (node.op->integer.kind != IntegerForm::Kind::accumulate || !node.op->integer.bias) continue;
      const ValueId bias = node.operand(*node.op->integer.bias);
      const float* x_scale = scale_read(simulated, node.operands[node.op->integer.input]);
      const ir::Node* weights = simulated.producer(node.operands[node.op->integer.weight]);
      if (bias == ir::absent || x_scale == nullptr || weights == nullptr || simulated.state(bias) == nullptr) continue;
      const auto w = quantization_.constants.find(simulated.value(weights->operands.front()).name);
      if (w == quantization_.constants.end()) continue;
      const auto its = quantization_.constants.find(simulated.value(bias).name);
      const runtime::Tensor& values = made_.weights.at(simulated.value(bias).name);
      for (std::int64_t c = 0; c < values.count(); ++c) {
        const auto at = [&](const std::vector<float>& list) {
          return list[list.size() == 1 ? 0 : static_cast<std::size_t>(c) % list.size()];
        };
        const float step = *x_scale * at(w->second->scale);
        const float value = values.as<float>()[c];
        if (value == 0) continue;
        if (its == quantization_.constants.end() || at(its->second->scale) != step) {
          problem(node.name, "its bias isn't in steps of x_scale * w_scale, expected int32 of these");
          break;
        }
        if (std::abs(value / step) < 0x1p23F) continue;
        problem(node.name, fmt::format("its bias has {} steps, expected less than 2^23", value / step));
        break;
      }
    }
  }

  // What the file quantizes beside: the same integers before or behind what moves or limits them.
  void check_unused(const std::set<std::string>& ours) {
    for (const auto& [layer, its] : quantization_.values) {
      if (ours.contains(layer)) continue;
      const ValueId value = graph_.find(layer);
      if (value == ir::absent || is_same_above(value, its, ours) || is_same_below(value, its, ours)) continue;
      problem(layer, fmt::format("is quantized in the file ({}), where models have no quantizer", said(its)));
    }
  }

  bool is_ours(ValueId value, const QuantizedValue& its, const std::set<std::string>& ours) const {
    if (!ours.contains(graph_.value(value).name)) return false;
    const QuantizedValue* same = quantized(value);
    return same != nullptr && its.covers(*same);
  }
  bool is_same_above(ValueId value, const QuantizedValue& its, const std::set<std::string>& ours) const {
    if (is_ours(value, its, ours)) return true;
    const ir::Node* producer = graph_.producer(value);
    return producer != nullptr && moves(*producer) && is_same_above(producer->operands.front(), its, ours);
  }
  bool is_same_below(ValueId value, const QuantizedValue& its, const std::set<std::string>& ours) const {
    if (is_ours(value, its, ours)) return true;
    const std::vector<const ir::Node*> all = readers(value);
    if (all.size() != 1 || (!moves(*all.front()) && !all.front()->op->clamp)) return false;
    return is_same_below(all.front()->results.front(), its, ours);
  }

  // As other observers have seen them.
  void add_ranges() {
    const ir::Graph simulated = passes::run(passes::simulated_evaluation(read_recipe("moving_average")), graph_);
    for (const ir::Node& node : simulated.nodes()) {
      const ir::Node* parameters = node.op->integer.kind == IntegerForm::Kind::quantizer ? simulated.producer(node.operands[1]) : nullptr;
      if (parameters == nullptr || parameters->operands.size() != 2 || simulated.state(parameters->operands[0]) == nullptr) continue;
      const QuantizedValue& its = *quantized(graph_.find(simulated.value(node.operands[0]).name));
      const auto end = [&](int q) { return static_cast<float>(q - its.zero_point) * its.scale; };
      made_.weights.insert_or_assign(simulated.value(parameters->operands[0]).name, tensor_of_floats({end(its.lo())}));
      made_.weights.insert_or_assign(simulated.value(parameters->operands[1]).name, tensor_of_floats({end(its.hi())}));
    }
  }

  Made& made_;
  const ir::Graph& graph_;
  const Quantization& quantization_;
  const std::string& path_;
};

}  // namespace

void add_quantization(Made& made, const Quantization& quantization, const std::string& path) {
  Quantizing(made, quantization, path).run();
}

}  // namespace stair::frontend::onnx
