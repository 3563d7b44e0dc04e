#include "frontend/importers/onnx/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <utility>

#include "frontend/importers/onnx/layers.h"
#include "frontend/importers/onnx/operator.h"
#include "frontend/importers/onnx/pattern.h"
#include "frontend/importers/onnx/quantized.h"
#include "frontend/readers/model_reader.h"
#include "ir/error.h"
#include "ir/op.h"
#include "passes/outputs.h"

namespace stair::frontend::onnx {
namespace {

constexpr std::int64_t oldest_opset = 1;
constexpr std::int64_t newest_opset = 21;
constexpr std::size_t most_shown = 20;  // problems in one line

class Import {
 public:
  Import(const Model& model, const Options& options, const Dequantized* quantized)
      : model_(model), options_(options), quantized_(quantized), lead_(options.batched ? 0 : 1) {}

  Made run(std::uint64_t seed) {
    check_opset();
    for (const auto& [name, tensor] : model_.initializers) initial_.insert(name);
    read_inputs();
    find_used();
    for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
      if (used_[i]) read_node(model_.nodes[i]);
    }
    if (problems_.empty()) read_outputs();
    if (problems_.empty() && quantized_ != nullptr) mark_quantized();
    if (problems_.empty()) finish();
    Made made;
    made.problems = problems_;
    if (problems_.empty()) make(made, seed);
    return made;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw Error(model_.path + ": " + message); }

  void check_opset() const {
    const auto it = model_.opsets.find("");
    if (it == model_.opsets.end()) fail("names no version of ONNX's own operators");
    if (it->second < oldest_opset || it->second > newest_opset)
      fail(fmt::format("has opset {}, expected {} to {}", it->second, oldest_opset, newest_opset));
  }

  // Those without an initializer. Dimensions that are free are told by the options, but for the first, which counts the examples.
  void read_inputs() {
    std::set<std::string> open;
    for (const ValueInfo& input : model_.inputs) {
      if (!initial_.contains(input.name)) inputs_.push_back(&input);
    }
    if (inputs_.empty()) fail("has no inputs, expected at least one");
    std::vector<std::string> names;
    for (const ValueInfo* input : inputs_) names.push_back(input->name);
    for (const auto& [name, shape] : options_.input_shapes) {
      if (std::find(names.begin(), names.end(), name) == names.end())
        throw Error(fmt::format("--input-shape {}: {} has no such input{}, expected {}", name, model_.path, did_you_mean(name, names),
                                one_of(names)));
    }
    choose_batch();
    for (const ValueInfo* input : inputs_) add_input(*input);
  }

  // How many examples shapes are counted with: those that the file states, or where it leaves that open a prime that tells them apart from
  // all other dimensions.
  void choose_batch() {
    if (lead_ == 1) return;
    std::int64_t stated = 0;
    for (const ValueInfo* input : inputs_) {
      if (!input->shape || input->shape->empty()) continue;
      const std::optional<std::int64_t> size = input->shape->front().size;
      if (!size) stated = -1;
      if (stated >= 0 && size) {
        if (stated > 0 && stated != *size)
          fail(fmt::format("its inputs have {} and {} as their first dimension, expected one number of examples", stated, *size));
        stated = *size;
      }
    }
    batch_ = stated > 0 ? stated : unusual_prime();
  }

  std::int64_t unusual_prime() const {
    std::set<std::int64_t> sizes;
    for (const auto& [name, tensor] : model_.initializers) {
      sizes.insert(tensor.shape.begin(), tensor.shape.end());
      if (tensor.type != ElementType::i64 || tensor.shape.size() > 1) continue;
      const Constant list = decode(tensor);
      for (const std::int64_t value : list.integers) sizes.insert(value);
    }
    for (const ValueInfo* input : inputs_) {
      if (!input->shape) continue;
      for (const Dimension& dimension : *input->shape) {
        if (dimension.size) sizes.insert(*dimension.size);
      }
    }
    constexpr std::array<std::int64_t, 8> primes{31, 37, 41, 43, 47, 53, 59, 61};
    for (const std::int64_t prime : primes) {
      if (std::none_of(sizes.begin(), sizes.end(), [&](std::int64_t size) { return size != 0 && size % prime == 0; })) return prime;
    }
    return primes.front();
  }

  void add_input(const ValueInfo& input) {
    if (input.type == ElementType::none) fail(fmt::format("its input '{}' is no tensor", input.name));
    const auto given = options_.input_shapes.find(input.name);
    ir::Shape shape;
    if (!input.shape && given == options_.input_shapes.end())
      fail(fmt::format("its input '{}' has no shape, expected --input-shape {}=DIMENSIONS", input.name, input.name));
    const std::size_t rank = input.shape ? input.shape->size() : given->second.size() + (lead_ == 0 ? 1 : 0);
    if (lead_ == 0) shape.push_back(batch_);
    if (given != options_.input_shapes.end()) {
      shape.insert(shape.end(), given->second.begin(), given->second.end());
      if (shape.size() != rank)
        throw Error(fmt::format("--input-shape {}: {} dimensions, {} has {}", input.name, shape.size(), model_.path, rank));
    }
    std::vector<std::string> open;
    for (std::size_t d = 0; input.shape && d < rank; ++d) {
      const Dimension& dimension = (*input.shape)[d];
      if (d == 0 && lead_ == 0) continue;
      if (given != options_.input_shapes.end()) {
        if (dimension.size && shape[d] != *dimension.size)
          throw Error(fmt::format("--input-shape {}: found {}, {} says {}", input.name, shape[d], model_.path, *dimension.size));
      } else if (dimension.size) {
        shape.push_back(*dimension.size);
      } else {
        open.push_back(dimension.parameter.empty() ? fmt::format("number {}", d) : "'" + dimension.parameter + "'");
      }
    }
    if (!open.empty()) {
      fail(fmt::format("its input '{}' leaves the dimension{} {} open, expected --input-shape {}={}", input.name,
                       open.size() == 1 ? "" : "s", fmt::join(open, ", "), input.name, lead_ == 0 ? "N,…" : "…"));
    }
    ir::Shape in_layers = shape;
    in_layers.insert(in_layers.begin(), static_cast<std::size_t>(lead_), 1);
    if (in_layers.size() < 2)
      fail(fmt::format("its input '{}' has the shape {}, expected more than the examples", input.name, ir::to_string(shape)));
    if (!ir::is_valid(in_layers))
      fail(fmt::format("its input '{}' has the shape {}, expected {}", input.name, ir::to_string(shape), ir::expected_shape));
    std::string name = input.name;
    while (name.starts_with("$")) name.erase(name.begin());
    if (name.empty() || layers_.has(name)) fail(fmt::format("its input '{}' can't be called so in a model", input.name));
    layers_.add_input({name, "", in_layers, false});
    values_[input.name] = {nullptr, name, std::move(shape), input.type};
  }

  // Nodes that lead to an output.
  void find_used() {
    std::set<std::string, std::less<>> read;
    for (const ValueInfo& output : model_.outputs) read.insert(output.name);
    used_.resize(model_.nodes.size());
    for (std::size_t i = model_.nodes.size(); i-- > 0;) {
      const Node& node = model_.nodes[i];
      used_[i] = std::any_of(node.outputs.begin(), node.outputs.end(), [&](const std::string& output) { return read.contains(output); });
      if (used_[i]) read.insert(node.inputs.begin(), node.inputs.end());
    }
  }

  const Value* find(const std::string& name) {
    if (const auto it = values_.find(name); it != values_.end()) return &it->second;
    const auto it = model_.initializers.find(name);
    if (it == model_.initializers.end()) return nullptr;
    Value value;
    value.shape = it->second.shape;
    value.type = it->second.type;
    value.constant = std::make_shared<const Constant>(decode(it->second));
    return &(values_[name] = std::move(value));
  }

  void read_node(const Node& node) {
    const auto opset = model_.opsets.find(node.domain);
    NodeContext context(node, opset == model_.opsets.end() ? 0 : opset->second, layers_, {}, lead_, batch_);
    const auto refuse = [&](const std::string& message) {
      problems_.push_back(context.place() + ": " + message);
      for (const std::string& output : node.outputs) failed_.insert(output);
    };
    const Operator* known = operators().find(node.op);
    if (known == nullptr || known->domain != node.domain || opset == model_.opsets.end()) {
      if (opset == model_.opsets.end()) return refuse(fmt::format("the file states no version of the domain '{}'", node.domain));
      return refuse("no layer does that");
    }
    std::vector<std::optional<Value>> inputs;
    bool all_constant = true;
    for (const std::string& name : node.inputs) {
      if (failed_.contains(name)) {  // what it reads is listed already
        for (const std::string& output : node.outputs) failed_.insert(output);
        return;
      }
      inputs.emplace_back();
      if (name.empty()) continue;
      try {
        const Value* value = find(name);
        if (value == nullptr) return refuse(fmt::format("reads '{}', which nothing before it yields", name));
        inputs.back() = *value;
        all_constant = all_constant && value->constant != nullptr;
      } catch (const Error& error) {
        return refuse(error.what());
      }
    }
    NodeContext reading(node, opset->second, layers_, std::move(inputs), lead_, batch_);
    try {
      const auto& action = all_constant && known->fold ? known->fold : known->import ? known->import : known->fold;
      if (!known->import && !all_constant) throw Error("is computed of constants only, and an input isn't one");
      action(reading);
      reading.check_attributes_read();
    } catch (const Error& error) {
      return refuse(error.what());
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i].empty()) continue;
      if (reading.results[i]) {
        values_[node.outputs[i]] = std::move(*reading.results[i]);
      } else {
        missing_.emplace(node.outputs[i], reading.place());
      }
    }
  }

  void read_outputs() {
    if (model_.outputs.empty()) fail("has no outputs, expected at least one");
    for (const ValueInfo& output : model_.outputs) {
      if (const auto it = missing_.find(output.name); it != missing_.end())
        fail(fmt::format("its output '{}' is one that {} has here not", output.name, it->second));
      const Value* value = find(output.name);
      if (value == nullptr) fail(fmt::format("nothing yields its output '{}'", output.name));
      if (value->constant) fail(fmt::format("its output '{}' doesn't depend on an input", output.name));
      std::string name = output.name;
      std::replace(name.begin(), name.end(), ':', '_');
      while (name.empty() || passes::is_output_of_training(name) || is_taken(name)) name += "_output";
      layers_.outputs.push_back({name, layer_of_output(*value, name), {}, false});
    }
  }

  // As outputs, until patterns are folded: none may reach over a quantizer.
  void mark_quantized() {
    for (const auto& [name, its] : quantized_->values) {
      const auto value = values_.find(name);
      if (value == values_.end() || value->second.constant) continue;
      marked_.push_back(&its);
      layers_.outputs.push_back({"", value->second.layer, {}});
    }
  }

  void take_marks() {
    const std::size_t outputs = layers_.outputs.size() - marked_.size();
    for (std::size_t i = 0; i < marked_.size(); ++i) {
      const auto [it, is_new] = quantization_.values.emplace(layers_.outputs[outputs + i].layer, *marked_[i]);
      if (is_new || it->second == *marked_[i]) continue;
      problems_.push_back(fmt::format("{}: '{}' is quantized in another way, too", marked_[i]->node, it->first));
    }
    layers_.outputs.resize(outputs);
  }

  bool is_taken(const std::string& name) const {
    return std::any_of(layers_.outputs.begin(), layers_.outputs.end(), [&](const Layers::End& output) { return output.name == name; });
  }

  // An input as it is, or what another output is already, needs a layer that does nothing.
  std::string layer_of_output(const Value& value, const std::string& name) {
    const auto is_it = [&](const Layers::End& output) { return output.layer == value.layer; };
    if (layers_.find(value.layer) != nullptr && std::none_of(layers_.outputs.begin(), layers_.outputs.end(), is_it)) return value.layer;
    Layer copy;
    copy.op = "reshape";
    copy.name = layers_.unused(name);
    copy.inputs = {value.layer};
    copy.attributes = {{"shape", ir::Shape(layers_.shape(value.layer).size(), 0)}};
    layers_.infer(copy);
    return layers_.add(std::move(copy)).name;
  }

  // Layers are found by their names from here on.
  void finish() {
    layers_.remove_dead();
    try {
      fold_patterns(layers_);
    } catch (const Error& error) {
      fail(error.what());
    }
    take_marks();
    for (const Layer& layer : layers_.all()) {
      if (ir::op_registry().find(layer.op) == nullptr && !is_on_sequences(layer.op))
        problems_.push_back(fmt::format("{}: no layer does that by itself, only as a part of others", layer.node));
    }
    if (layers_.inputs().empty()) fail("no input leads to an output");
  }

  static bool is_on_sequences(const std::string& op) { return op.ends_with("1d"); }

  void make(Made& made, std::uint64_t seed) {
    made.json = to_json(layers_, model_.name.empty() ? "model" : model_.name);
    made.graph = readers::read_model(made.json, model_.path + " (as model JSON)", seed);
    std::map<std::string, const ir::Node*, std::less<>> nodes;
    for (const ir::Node& node : made.graph.nodes()) nodes[node.name] = &node;
    for (const Layer& layer : layers_.all()) {
      if (layer.parameters.empty()) continue;
      const ir::Node& node = *nodes.at(layer.name);
      for (std::size_t i = 0; i < node.op->operands.size(); ++i) {
        const auto it = layer.parameters.find(node.op->operands[i].name);
        if (it == layer.parameters.end()) continue;
        const std::string& name = made.graph.value(node.operands[i]).name;
        made.weights.emplace(name, it->second.clone());
        if (quantized_ == nullptr || (i != 1 && it->first != "bias")) continue;
        const auto constant = quantized_->constants.find(it->first == "bias" ? layer.bias_of : layer.weights_of);
        if (constant != quantized_->constants.end()) quantization_.constants.emplace(name, &constant->second);
      }
    }
    if (quantized_ == nullptr) return;
    made.otherwise = quantized_->otherwise;
    add_quantization(made, quantization_, model_.path);
  }

  const Model& model_;
  const Options& options_;
  const Dequantized* quantized_;  // the model is in float; nullptr: it was from the start
  std::vector<const QuantizedValue*> marked_;
  Quantization quantization_;
  const std::int64_t lead_;
  std::int64_t batch_ = 1;
  std::set<std::string, std::less<>> initial_;
  std::vector<const ValueInfo*> inputs_;
  std::vector<bool> used_;
  Layers layers_;
  std::map<std::string, Value, std::less<>> values_;
  std::set<std::string, std::less<>> failed_;
  std::map<std::string, std::string, std::less<>> missing_;  // outputs that a node has but here not, with its place
  std::vector<std::string> problems_;
};

}  // namespace

Made import(const Model& model, const Options& options, std::uint64_t seed) {
  if (!is_quantized(model)) return Import(model, options, nullptr).run(seed);
  const Dequantized in_float = dequantized(model);
  if (in_float.problems.empty()) return Import(in_float.model, options, &in_float).run(seed);
  Made made;
  made.problems = in_float.problems;
  return made;
}

void expect_none(const std::vector<std::string>& problems, const std::string& path) {
  if (problems.empty()) return;
  const std::size_t shown = std::min(problems.size(), most_shown);
  std::string text = fmt::format("{}", fmt::join(problems.begin(), problems.begin() + static_cast<std::ptrdiff_t>(shown), "; "));
  if (shown < problems.size()) text += fmt::format("; and {} more (stair import --check lists all)", problems.size() - shown);
  throw Error(path + ": " + text);
}

}  // namespace stair::frontend::onnx
