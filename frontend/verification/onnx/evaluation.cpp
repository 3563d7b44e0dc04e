#include "frontend/verification/onnx/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ir/error.h"

namespace stair::verification::onnx {

Evaluation::Evaluation(const frontend::onnx::Model& model, const std::set<std::string, std::less<>>& keep) : model_(model) {
  for (const auto& [name, tensor] : model.initializers) {
    try {
      Value value = from_constant(frontend::onnx::decode(tensor));
      constants_[name] = std::make_shared<const Value>(std::move(value));
    } catch (const Error& error) {
      throw Error(fmt::format("{}: the tensor '{}': {}", model.path, name, error.what()));
    }
  }
  for (const frontend::onnx::Node& node : model.nodes) add_node(node);
  layers_.resize(nodes_.size());
  find_uses(keep);
}

// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md defines these by the operator on floats between
// DequantizeLinear and QuantizeLinear: (value, scale, zero point) an operand, then scale and zero point of the result, or these first.
void Evaluation::add_node(const frontend::onnx::Node& node) {
  static const std::map<std::string, std::pair<std::string, std::size_t>, std::less<>> defined{
      {"QLinearAdd", {"Add", 2}},         {"QLinearMul", {"Mul", 2}},
      {"QLinearSigmoid", {"Sigmoid", 1}}, {"QLinearLeakyRelu", {"LeakyRelu", 1}},
      {"QLinearSoftmax", {"Softmax", 1}}, {"QLinearGlobalAveragePool", {"GlobalAveragePool", 1}},
      {"QLinearConcat", {"Concat", 0}},   {"QLinearAveragePool", {"AveragePool", 1}}};
  const auto its = defined.find(node.op);
  const auto last = node.attributes.find("channels_last");
  const bool is_known = node.domain == "com.microsoft" && its != defined.end() && !node.outputs.empty() &&
                        (last == node.attributes.end() || last->second.integer == 0);
  if (!is_known) {
    nodes_.push_back(node);
    return;
  }
  const bool result_first = its->second.second == 0;
  const std::size_t operands = result_first ? (std::max<std::size_t>(node.inputs.size(), 2) - 2) / 3 : its->second.second;
  const auto input = [&](std::size_t i) { return i < node.inputs.size() ? node.inputs[i] : std::string(); };
  const auto made = [&](const std::string& op, std::vector<std::string> inputs, const std::string& output) {
    frontend::onnx::Node part;
    part.name = node.name;
    part.op = op;
    part.inputs = std::move(inputs);
    part.outputs = {output};
    nodes_.push_back(std::move(part));
  };
  std::vector<std::string> floats;
  for (std::size_t n = 0; n < operands; ++n) {
    const std::size_t at = 3 * n + (result_first ? 2 : 0);
    floats.push_back(fmt::format("{}\n{}", node.outputs.front(), n));  // no name that a file has twice
    made("DequantizeLinear", {input(at), input(at + 1), input(at + 2)}, floats.back());
  }
  const std::string result = node.outputs.front() + "\n";
  made(its->second.first, floats, result);
  nodes_.back().attributes = node.attributes;
  nodes_.back().attributes.erase("channels_last");
  if (its->second.first == "Softmax") nodes_.back().attributes.erase("opset");
  const std::size_t of_result = result_first ? 0 : 3 * operands;
  made("QuantizeLinear", {result, input(of_result), input(of_result + 1)}, node.outputs.front());
}

void Evaluation::find_uses(const std::set<std::string, std::less<>>& keep) {
  std::set<std::string, std::less<>> read = keep;
  for (const frontend::onnx::ValueInfo& output : model_.outputs) read.insert(output.name);
  const std::set<std::string, std::less<>> kept = read;
  std::set<std::string, std::less<>> seen;
  used_.resize(nodes_.size());
  last_used_.resize(nodes_.size());
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    const frontend::onnx::Node& node = nodes_[i];
    used_[i] = std::any_of(node.outputs.begin(), node.outputs.end(), [&](const std::string& output) { return read.contains(output); });
    if (!used_[i]) continue;
    read.insert(node.inputs.begin(), node.inputs.end());
    for (const std::string& input : node.inputs) {
      if (!kept.contains(input) && seen.insert(input).second) last_used_[i].push_back(input);
    }
  }
}

Evaluation::Shared Evaluation::find(const std::string& name) const {
  if (const auto it = values_.find(name); it != values_.end()) return it->second;
  const auto it = constants_.find(name);
  return it == constants_.end() ? nullptr : it->second;
}

const Value& Evaluation::value(const std::string& name) const {
  const Shared found = find(name);
  if (found == nullptr) throw Error(fmt::format("{}: has no value '{}'", model_.path, name));
  return *found;  // of the map's
}

bool Evaluation::has(const std::string& name) const {
  return find(name) != nullptr;
}

void Evaluation::run(const std::map<std::string, Value>& inputs) {
  values_.clear();
  for (const auto& [name, value] : inputs) values_[name] = std::make_shared<const Value>(value);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!used_[i]) continue;
    run_node(i);
    for (const std::string& name : last_used_[i]) values_.erase(name);
  }
}

void Evaluation::run_node(std::size_t i) {
  const frontend::onnx::Node& node = nodes_[i];
  if (std::all_of(node.outputs.begin(), node.outputs.end(), [&](const std::string& name) { return constants_.contains(name); })) return;
  const auto opset = model_.opsets.find(node.domain);
  std::vector<Shared> inputs;
  bool constant = true;
  for (const std::string& name : node.inputs) {
    inputs.push_back(name.empty() ? nullptr : find(name));
    if (!name.empty() && inputs.back() == nullptr)
      throw Error(fmt::format("{}: node '{}' ({}) reads '{}', which nothing before it yields", model_.path, node.name, node.op, name));
    constant = constant && (name.empty() || inputs.back()->constant);
  }
  NodeRun run(node, opset == model_.opsets.end() ? 1 : opset->second, std::move(inputs), sums_);
  try {
    run.expect(opset != model_.opsets.end() || node.domain == "com.microsoft",
               fmt::format("the file states no version of the domain '{}'", node.domain));
    const Operator* known = operators().find(node.op);
    const bool own = known != nullptr && known->domain == node.domain && known->run(run);
    if (own) {
      run.check_attributes_read();
    } else {
      layers_[i].run(run);
    }
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}: {}", model_.path, run.place(), error.what()));
  }
  for (std::size_t n = 0; n < node.outputs.size(); ++n) {
    if (node.outputs[n].empty() || !run.results[n]) continue;
    run.results[n]->constant = constant || run.results[n]->constant;
    auto& into = run.results[n]->constant ? constants_ : values_;
    into[node.outputs[n]] = std::make_shared<const Value>(std::move(*run.results[n]));
  }
}

}  // namespace stair::verification::onnx
