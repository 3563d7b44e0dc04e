#include "frontend/readers/model_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "frontend/readers/layer_parameters.h"
#include "frontend/readers/model_effects.h"
#include "frontend/readers/model_faults.h"
#include "frontend/readers/model_keys.h"
#include "frontend/readers/model_structure.h"
#include "frontend/readers/sequences.h"
#include "ir/error.h"
#include "ir/json_object.h"
#include "ir/op.h"
#include "passes/outputs.h"

namespace stair::readers {
namespace {

using ir::Attributes;
using ir::OpSchema;
using ir::ValueId;

constexpr std::size_t longest_name = 500;  // of a layer, with the blocks that it is in

// Where layers are read: the whole model, or one use of a block.
struct Scope {
  std::string prefix;                        // of the names of its layers
  ValueId input = ir::absent;                // what "$input" is
  Json parameters = Json::object();          // what "$NAME" stands for
  std::map<std::string, ValueId> layers;     // by name within the scope
  std::map<std::string, std::string> below;  // names that stand below, with their pointers
};

// A use of a block: the layers that it has, as a range of all in the order of reading.
struct BlockUse {
  std::string block;
  int times;
  std::size_t first, last;
};

class Reader {
 public:
  Reader(const Json& json, std::string source, std::uint64_t seed, std::vector<std::string>* idle)
      : json_(json), faults_(std::move(source), idle), seed_(seed) {}

  ir::Graph run() {
    const Attributes keys = ir::read_object(json_, model_keys(), faults_.source(), "");
    check_structure(json_, faults_);
    graph_.name = keys.text("name");
    Scope scope;
    read_inputs(keys, scope);
    const ValueId last = read_layers(json_["layers"], "/layers", scope, scope.input);
    read_outputs(last, scope);
    check_examples_apart(graph_, json_, places_, faults_);
    check_effects(graph_, json_, last_, places_, faults_);
    graph_.keep_names();
    return std::move(graph_);
  }

 private:
  void read_inputs(const Attributes& keys, Scope& scope) {
    const bool one = keys.has("input");
    if (!one && !keys.has("inputs")) faults_.fail("/", "the key 'input' is missing, expected that or 'inputs' (what the model reads)");
    if (one && keys.has("inputs")) faults_.fail("/inputs", "stands beside 'input', expected one of them");
    const std::vector<ir::Object> inputs = one ? std::vector{ir::Object(keys.object("input"))} : keys.objects("inputs");
    if (inputs.empty()) faults_.fail("/inputs", "found a list of 0, expected at least 1");
    std::set<std::string, std::less<>> given = given_names(json_);
    for (const ir::Object& input : inputs) given.insert(input.members().text("name"));
    graph_.keep_names(std::move(given));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::string at = one ? "/input" : fmt::format("/inputs/{}", i);
      const std::string& name = inputs[i].members().text("name");
      check_name(name, at + "/name");
      ir::Shape shape = inputs[i].members().integers("shape");
      shape.insert(shape.begin(), 1);
      places_[name] = at;
      scope.layers[name] = faults_.guarded(at, [&] {
        const ir::DType dtype = ir::dtype_named(inputs[i].members().text("dtype"));
        return graph_.add_input(name, of_countable_size("input '" + name + "'", {dtype, shape}));
      });
    }
    scope.input = graph_.inputs().front();
  }

  void read_outputs(ValueId last, const Scope& scope) {
    if (!json_.contains("outputs")) {
      last_ = json_.contains("output") ? find(json_["output"], "/output", scope) : last;
      add_output("logits", last_, json_.contains("output") ? "/output" : place_of(graph_, last_, places_));
      return;
    }
    if (json_.contains("output")) faults_.fail("/outputs", "stands beside 'output', expected one of them");
    const Json& outputs = json_["outputs"];
    if (outputs.empty()) faults_.fail("/outputs", "found a list of 0, expected at least 1");
    std::map<ValueId, std::string> named;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::string at = fmt::format("/outputs/{}", i);
      const bool short_form = outputs[i].is_string();
      if (!short_form && !outputs[i].is_object())
        faults_.fail(at, fmt::format("found {}, expected a text or an object", ir::shown(outputs[i])));
      const Attributes output = short_form ? Attributes{{"name", outputs[i].get<std::string>()}, {"layer", outputs[i].get<std::string>()}}
                                           : ir::read_object(outputs[i], output_keys(), faults_.source(), at);
      const ValueId value = find(output.text("layer"), short_form ? at : at + "/layer", scope);
      const std::string& name = output.text("name");
      const std::string name_at = short_form ? at : at + "/name";
      if (name.empty()) faults_.fail(name_at, "found \"\", expected a name");
      if (passes::is_output_of_training(name)) {
        faults_.fail(name_at, fmt::format("'{}' is what a training step calls an output of its own, expected another name{}", name,
                                          short_form ? ", as {\"name\": …, \"layer\": …}" : ""));
      }
      const auto [before, first] = named.emplace(value, name);
      if (!first) faults_.fail(at, fmt::format("'{}' is the output '{}' already", graph_.value(value).name, before->second));
      last_ = std::max(last_, value);
      add_output(name, value, at);
    }
  }

  void add_output(const std::string& name, ValueId value, const std::string& pointer) {
    faults_.guarded(pointer, [&] { graph_.add_output(name, placed(sequences_.plain(value), pointer)); });
  }

  void check_dilation(const Json& layer, const Attributes& attributes, const std::string& pointer) const {
    // What a block is given may have its effect elsewhere.
    if (!layer.contains("dilation") || layer["dilation"].is_string() || layer["kernel"].is_string()) return;
    const std::vector<std::int64_t>& dilation = attributes.integers("dilation");
    const std::vector<std::int64_t>& kernel = attributes.integers("kernel");
    bool dilates = false;
    bool matters = false;
    for (std::size_t d = 0; d < std::min(dilation.size(), kernel.size()); ++d) {
      dilates = dilates || dilation[d] != 1;
      matters = matters || (dilation[d] != 1 && kernel[d] != 1);
    }
    if (dilates && !matters)
      faults_.has_no_effect(pointer + "/dilation", fmt::format("found {}, which has no effect on a kernel of {}", layer["dilation"].dump(),
                                                               layer["kernel"].dump()));
  }

  void check_name(const std::string& name, const std::string& pointer) const {
    if (name.starts_with("$")) faults_.fail(pointer, "found '" + name + "', expected a name that doesn't begin with '$'");
  }

  ValueId read_layers(const Json& layers, const std::string& pointer, Scope& scope, ValueId before) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (layers[i].contains("name")) scope.below[layers[i]["name"]] = fmt::format("{}/{}", pointer, i);
    }
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::string at = fmt::format("{}/{}", pointer, i);
      const Json& layer = layers[i];
      if (layer.contains("name")) check_name(layer["name"], at + "/name");
      before = layer.contains("op") ? read_layer(layer, at, scope, before) : read_block(layer, at, scope, before);
    }
    return before;
  }

  ValueId find(const std::string& name, const std::string& pointer, const Scope& scope) const {
    if (name == "$input") return scope.input;
    if (const auto it = scope.layers.find(name); it != scope.layers.end()) return it->second;
    for (const std::string& whole : {name, scope.prefix + name}) {
      if (const ValueId value = graph_.find(whole); value != ir::absent) return value;
    }
    if (const auto it = scope.below.find(name); it != scope.below.end()) {
      faults_.fail(pointer, fmt::format("'{}' stands below (at {}), expected a layer above: a model has no cycles", name, it->second));
    }
    std::vector<std::string> names;
    for (const auto& [known, value] : scope.layers) names.push_back(known);
    faults_.fail(pointer, fmt::format("unknown layer '{}'{}", name, did_you_mean(name, names)));
  }

  // "$NAME" as the value of the block's parameter, in lists too.
  Json substituted(const Json& value, const std::string& pointer, const Scope& scope) const {
    if (value.is_array()) {
      Json list = Json::array();
      for (std::size_t i = 0; i < value.size(); ++i) list.push_back(substituted(value[i], fmt::format("{}/{}", pointer, i), scope));
      return list;
    }
    if (!value.is_string() || !value.get<std::string>().starts_with("$")) return value;
    const std::string name = value.get<std::string>().substr(1);
    if (scope.parameters.contains(name)) return scope.parameters[name];
    std::vector<std::string> names;
    for (const auto& [known, item] : scope.parameters.items()) names.push_back(known);
    faults_.fail(pointer, fmt::format("unknown parameter '${}'{}", name, did_you_mean(name, names)));
  }

  std::vector<ValueId> inputs_of(const Json& layer, const std::string& pointer, const Scope& scope, ValueId before) const {
    if (!layer.contains("inputs")) return {before};
    std::vector<ValueId> inputs;
    for (std::size_t i = 0; i < layer["inputs"].size(); ++i) {
      inputs.push_back(find(layer["inputs"][i], fmt::format("{}/inputs/{}", pointer, i), scope));
    }
    return inputs;
  }

  ValueId read_block(const Json& layer, const std::string& pointer, Scope& scope, ValueId before) {
    const Json blocks = json_.value("blocks", Json::object());
    const std::string block_name = layer["block"];
    if (!blocks.contains(block_name)) {
      std::vector<std::string> names;
      for (const auto& [name, block] : blocks.items()) names.push_back(name);
      faults_.fail(pointer + "/block", fmt::format("unknown block '{}'{}", block_name, did_you_mean(block_name, names)));
    }
    const Json& block = blocks[block_name];
    if (depth_ > most_nested) faults_.fail(pointer + "/block", "blocks are nested more than 16 deep, expected no block within itself");
    const std::vector<ValueId> inputs = inputs_of(layer, pointer, scope, before);
    if (inputs.size() != 1) faults_.fail(pointer + "/inputs", fmt::format("{} inputs, a block reads one", inputs.size()));
    if (layer.contains("name") && scope.layers.contains(layer["name"].get<std::string>())) {
      faults_.fail(pointer + "/name", "the name '" + layer["name"].get<std::string>() + "' is taken");
    }
    const std::string name = layer.contains("name") ? layer["name"].get<std::string>() : unused_name(block_name, scope);
    const int times = layer.value("repeat", 1);
    const std::size_t first = layers_.size();
    const bool shares = layer.contains("weights_of") && twin_ == no_twin;
    if (layer.contains("weights_of")) {
      const BlockUse& twin = block_use(layer, block_name, times, pointer, scope);
      if (shares) twin_ = twin.first;
    }
    before = inputs.front();
    for (int i = 0; i < times; ++i) {
      Scope inner;
      inner.prefix = scope.prefix + name + (times > 1 ? fmt::format(".{}", i) : "") + ".";
      inner.input = before;
      inner.parameters = arguments(block, layer, pointer, scope);
      ++depth_;
      before = read_layers(block["layers"], fmt::format("/blocks/{}/layers", block_name), inner, before);
      --depth_;
    }
    if (shares) twin_ = no_twin;
    block_uses_[scope.prefix + name] = {block_name, times, first, layers_.size()};
    scope.layers[name] = before;
    return before;
  }

  // The use of a block that 'weights_of' names, whose layers this one's share their weights with, one by one.
  const BlockUse& block_use(const Json& layer, const std::string& block, int times, const std::string& pointer, const Scope& scope) const {
    const std::string given = layer["weights_of"];
    auto it = block_uses_.find(scope.prefix + given);
    if (it == block_uses_.end()) it = block_uses_.find(given);
    if (it == block_uses_.end()) {
      std::vector<std::string> names;
      for (const auto& [known, use] : block_uses_) names.push_back(known);
      faults_.fail(pointer + "/weights_of",
                   fmt::format("found '{}', expected a use of the block '{}' above{}", given, block, did_you_mean(given, names)));
    }
    if (it->second.block != block || it->second.times != times) {
      faults_.fail(pointer + "/weights_of",
                   fmt::format("'{}' is the block '{}', {} time{}; expected '{}', {} time{}", given, it->second.block, it->second.times,
                               it->second.times == 1 ? "" : "s", block, times, times == 1 ? "" : "s"));
    }
    return it->second;
  }

  // The block's name, or with a number where the scope has used it before.
  static std::string unused_name(const std::string& base, const Scope& scope) {
    std::string name = base;
    for (int n = 2; scope.layers.contains(name); ++n) name = fmt::format("{}_{}", base, n);
    return name;
  }

  // What a layer without a name is called: names that others are given below are theirs.
  std::string unnamed(const std::string& base) const {
    std::string name = graph_.unique_name(base);
    for (int n = 2; graph_.keeps(name) || graph_.find(name) != ir::absent; ++n) name = fmt::format("{}_{}", base, n);
    return name;
  }

  Json arguments(const Json& block, const Json& layer, const std::string& pointer, const Scope& scope) const {
    Json parameters = block.value("parameters", Json::object());
    std::vector<std::string> names;
    for (const auto& [name, fallback] : parameters.items()) names.push_back(name);
    const Json given = layer.value("with", Json::object());
    for (const auto& [name, value] : given.items()) {
      const std::string at = pointer + "/with/" + name;
      if (!parameters.contains(name)) faults_.fail(at, fmt::format("unknown parameter '{}'{}", name, did_you_mean(name, names)));
      parameters[name] = substituted(value, at, scope);
    }
    for (const auto& [name, value] : parameters.items()) {
      if (value.is_null()) faults_.fail(pointer + "/with", fmt::format("the parameter '{}' is missing", name));
    }
    return parameters;
  }

  // "kernel": 5 is [5, 5], "padding": [1, 2] is [1, 2, 1, 2]; on sequences [5], and as it is.
  static Json spread(const NamedLayer& kind, const std::string& key, Json value) {
    const std::size_t times = times_repeated(*kind.op, key) / (kind.on_sequences ? 2 : 1);
    if (times > 0 && value.is_number()) return Json(std::vector<Json>(times, value));
    if (times == 4 && value.is_array() && value.size() == 2) return {value[0], value[1], value[0], value[1]};
    return value;
  }

  // The attributes that a layer states, defaults filled in: those of its op and those of the layer alone.
  Attributes attributes_of(const NamedLayer& kind, const Json& layer, const std::string& pointer, const Scope& scope) const {
    Json written = Json::object();
    for (const auto& [key, value] : layer.items()) {
      const bool plain = key == "op" || key == "name" || key == "inputs" || key == "weights_of";
      written[key] = plain ? value : spread(kind, key, substituted(value, pointer + "/" + key, scope));
    }
    Attributes read = ir::read_object(written, layer_keys(*kind.op, kind.on_sequences), faults_.source(), pointer);
    for (const char* key : {"op", "name", "inputs", "weights_of"}) read.erase(key);
    if (read.has("stream") && !layer.contains("stream")) {
      read.set("stream", streams_);
      read.set("seed", static_cast<std::int64_t>(seed_));
    }
    return read;
  }

  NamedLayer layer_kind(const std::string& name, const std::string& pointer) const {
    const NamedLayer kind = layer_named(name);
    if (kind.op != nullptr) return kind;
    const bool unknown = ir::op_registry().find(name) == nullptr;
    faults_.fail(pointer, fmt::format("{} '{}'{}", unknown ? "unknown op" : "no layer of a model is the op", name,
                                      did_you_mean(name, layer_names())));
  }

  ValueId placed(ValueId value, const std::string& pointer) {
    places_.emplace(graph_.value(value).name, pointer);
    return value;
  }

  // As the layer reads them. On sequences: as images.
  bool read_sequences(const NamedLayer& kind, const std::string& name, std::vector<ValueId>& inputs, const std::string& pointer) {
    if (inputs.empty()) return false;
    const OpSchema& op = *kind.op;
    const bool sequences = std::all_of(inputs.begin(), inputs.end(), [&](ValueId input) { return sequences_.is_sequence(input); });
    if (kind.on_sequences && !sequences) {
      faults_.fail(pointer, fmt::format("{} '{}' reads '{}' {}, expected [N,C,L]", op.layer->on_sequences, name,
                                        graph_.value(inputs.front()).name, ir::to_string(graph_.type(inputs.front()).shape)));
    }
    const bool as_images = sequences && (kind.on_sequences || op.layer->on_sequences == op.name || sequences_.reads_images(op, inputs));
    for (ValueId& input : inputs) input = placed(as_images ? sequences_.image(input) : sequences_.plain(input), pointer);
    return as_images;
  }

  ValueId read_layer(const Json& layer, const std::string& pointer, Scope& scope, ValueId before) {
    const NamedLayer kind = layer_kind(layer["op"], pointer + "/op");
    const OpSchema& op = *kind.op;
    std::vector<ValueId> inputs = inputs_of(layer, pointer, scope, before);
    if (op.operands.empty() && !layer.contains("inputs")) inputs.clear();
    if (graph_.nodes().size() >= most_layers) faults_.fail(pointer, fmt::format("the model has more than {} layers", most_layers));
    ++streams_;
    Attributes attributes = attributes_of(kind, layer, pointer, scope);
    if (kind.on_sequences) faults_.guarded(pointer, [&] { Sequences::widen(op, attributes); });
    check_dilation(layer, attributes, pointer);
    const std::string given = layer.value("name", std::string());
    const std::string name = given.empty() ? unnamed(scope.prefix + layer["op"].get<std::string>()) : scope.prefix + given;
    if (name.size() > longest_name) {
      faults_.fail(pointer + (given.empty() ? "" : "/name"),
                   fmt::format("its name has {} bytes, expected at most {}", name.size(), longest_name));
    }
    if (!given.empty() && (scope.layers.contains(given) || graph_.find(name) != ir::absent))
      faults_.fail(pointer + "/name", "the name '" + name + "' is taken");
    check_input_count(op, name, inputs.size(), pointer);
    const std::optional<ir::Node> owner = owner_of_weights(layer, op, name, pointer, scope);
    const bool on_sequences = read_sequences(kind, name, inputs, pointer);

    std::vector<ValueId> operands;
    std::vector<std::pair<ValueId, std::string>> updates;  // state, result
    std::size_t next = 0;
    for (const ir::OperandSpec& operand : op.operands) {
      const Parameter* parameter = parameter_of(op, operand.name);
      if (parameter == nullptr) {
        if (next < inputs.size()) operands.push_back(inputs[next++]);
        while (operand.variadic && next < inputs.size()) operands.push_back(inputs[next++]);
        continue;
      }
      if (!parameter->enabled_by.empty() && !attributes.boolean(parameter->enabled_by)) {
        if (owner && owner->operand(operands.size()) != ir::absent) {
          faults_.fail(pointer, fmt::format("{} '{}' has no {}, but the layer whose weights it takes, '{}', has one", op.name, name,
                                            operand.name, owner->name));
        }
        operands.push_back(ir::absent);
        continue;
      }
      operands.push_back(faults_.guarded(pointer, [&] {
        const NewLayer made{op, name, attributes, inputs.front()};
        return owner ? shared_parameter(graph_, *parameter, made, *owner, operands.size()) : own_parameter(graph_, *parameter, made);
      }));
      if (!parameter->update_result.empty()) updates.emplace_back(operands.back(), parameter->update_result);
    }
    Attributes of_node;
    for (const ir::AttributeSpec& spec : op.attributes) of_node.set(spec.name, attributes.at(spec.name));
    const std::vector<ValueId> results = faults_.guarded(pointer, [&] { return graph_.add(op.name, operands, of_node, name).results; });
    places_[graph_.value(results.front()).name] = pointer;
    faults_.guarded(pointer, [&] { return of_countable_size(op.name + " '" + name + "'", graph_.type(results.front())); });
    for (const auto& [state, result] : updates) {
      for (std::size_t i = 0; i < op.results.size(); ++i) {
        if (op.results[i].name == result) graph_.add_update(state, results[i]);
      }
    }
    if (on_sequences) sequences_.add(results.front());
    layers_.push_back(name);
    scope.layers[given.empty() ? name.substr(scope.prefix.size()) : given] = results.front();
    return op.operands.empty() ? before : results.front();
  }

  // The layer whose parameters this one takes: that of its 'weights_of', or its counterpart in the use of a block that shares them.
  std::optional<ir::Node> owner_of_weights(const Json& layer, const OpSchema& op, const std::string& name, const std::string& pointer,
                                           const Scope& scope) {
    const std::string* twin = twin_ == no_twin ? nullptr : &layers_[twin_++];
    const auto moves = [](const Parameter& parameter) { return !parameter.update_result.empty(); };
    const bool has_running = std::any_of(op.layer->parameters.begin(), op.layer->parameters.end(), moves);
    const ir::Node* owner = nullptr;
    if (layer.contains("weights_of")) {
      const std::string at = pointer + "/weights_of";
      const std::string given = layer["weights_of"];
      owner = graph_.producer(find(given, at, scope));
      if (owner == nullptr || owner->op != &op)
        faults_.fail(at, fmt::format("found '{}', which is {}, expected a {}", given,
                                     owner == nullptr ? "an input" : "a " + owner->op->name, op.name));
      if (has_running) {
        faults_.fail(
            at, fmt::format("{} '{}' can't share its states with '{}': they follow what goes through it, which differs from use to use",
                            op.name, name, given));
      }
    }
    if (twin != nullptr && !has_running && !op.layer->parameters.empty()) owner = graph_.producer(graph_.find(*twin));
    return owner == nullptr ? std::nullopt : std::optional(*owner);
  }

  void check_input_count(const OpSchema& op, const std::string& name, std::size_t found, const std::string& pointer) const {
    std::size_t expected = 0;
    for (const ir::OperandSpec& operand : op.operands) {
      if (operand.variadic) return;
      if (parameter_of(op, operand.name) == nullptr) ++expected;
    }
    if (found != expected) {
      faults_.fail(pointer + (found == 1 ? "" : "/inputs"),
                   fmt::format("{} '{}' reads {} input{}, found {}", op.name, name, expected, expected == 1 ? "" : "s", found));
    }
  }

  const Json& json_;
  ModelFaults faults_;
  std::uint64_t seed_;
  ir::Graph graph_;
  Sequences sequences_{graph_};
  ValueId last_ = ir::absent;                   // the layer that yields the output, the last of several
  Places places_;                               // of inputs and nodes, by name
  std::vector<std::string> layers_;             // in the order of reading, blocks counted out
  std::map<std::string, BlockUse> block_uses_;  // by whole name
  static constexpr std::size_t no_twin = ~std::size_t{0};
  std::size_t twin_ = no_twin;  // in a block that takes another one's weights: which of layers_ the next layer stands for
  std::int64_t streams_ = 0;
  int depth_ = 0;
};

}  // namespace

ir::Graph read_model(const Json& json, const std::string& source, std::uint64_t seed, std::vector<std::string>* idle) {
  return Reader(json, source, seed, idle).run();
}

}  // namespace stair::readers
