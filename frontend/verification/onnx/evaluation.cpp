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
  layers_.resize(model.nodes.size());
  find_uses(keep);
}

void Evaluation::find_uses(const std::set<std::string, std::less<>>& keep) {
  std::set<std::string, std::less<>> read = keep;
  for (const frontend::onnx::ValueInfo& output : model_.outputs) read.insert(output.name);
  const std::set<std::string, std::less<>> kept = read;
  std::set<std::string, std::less<>> seen;
  used_.resize(model_.nodes.size());
  last_used_.resize(model_.nodes.size());
  for (std::size_t i = model_.nodes.size(); i-- > 0;) {
    const frontend::onnx::Node& node = model_.nodes[i];
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

void Evaluation::run(std::map<std::string, Value> inputs) {
  values_.clear();
  for (auto& [name, value] : inputs) values_[name] = std::make_shared<const Value>(std::move(value));
  for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
    if (!used_[i]) continue;
    run_node(i);
    for (const std::string& name : last_used_[i]) values_.erase(name);
  }
}

void Evaluation::run_node(std::size_t i) {
  const frontend::onnx::Node& node = model_.nodes[i];
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
