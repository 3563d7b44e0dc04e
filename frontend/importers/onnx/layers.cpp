#include "frontend/importers/onnx/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "frontend/readers/model_keys.h"
#include "frontend/readers/sequences.h"
#include "ir/error.h"
#include "ir/op.h"

namespace stair::frontend::onnx {
namespace {

using ir::Json;

constexpr std::size_t most_layers = 10'000;  // of a model JSON

// The attributes of the layer's op with defaults, as the graph's node has them, and those of the layer alone.
ir::Attributes complete(const Layer& layer, const readers::NamedLayer& kind) {
  std::vector<ir::AttributeSpec> specs = kind.op->attributes;
  specs.insert(specs.end(), kind.op->layer->attributes.begin(), kind.op->layer->attributes.end());
  if (kind.on_sequences) specs = readers::layer_keys(*kind.op, true);
  std::erase_if(specs, [](const ir::AttributeSpec& spec) {
    return spec.name == "op" || spec.name == "name" || spec.name == "inputs" || spec.name == "weights_of";
  });
  ir::Attributes all = ir::completed(specs, layer.attributes, layer.op + " '" + layer.name + "': ", "attribute");
  if (kind.on_sequences) readers::Sequences::widen(*kind.op, all);
  return all;
}

// One number for all, or two for both sides each, where the model JSON takes that.
Json shortest(const ir::OpSchema& op, bool on_sequences, const std::string& key, const std::vector<std::int64_t>& list) {
  const std::size_t times = readers::times_repeated(op, key) / (on_sequences ? 2 : 1);
  if (times != list.size() || list.empty()) return list;
  if (std::all_of(list.begin(), list.end(), [&](std::int64_t value) { return value == list.front(); })) return list.front();
  if (times == 4 && list[0] == list[2] && list[1] == list[3]) return {list[0], list[1]};
  return list;
}

Json json_value(const ir::Attribute& attribute) {
  return std::visit(
      [](const auto& held) -> Json {
        if constexpr (std::is_constructible_v<Json, decltype(held)>) return held;
        return nullptr;
      },
      attribute);
}

Json layer_json(const Layer& layer) {
  const readers::NamedLayer kind = readers::layer_named(layer.op);
  Json json{{"op", layer.op}, {"name", layer.name}};
  for (const ir::AttributeSpec& spec : readers::layer_keys(*kind.op, kind.on_sequences)) {
    if (!layer.attributes.has(spec.name)) continue;
    const ir::Attribute& value = layer.attributes.at(spec.name);
    if (!spec.required && value == spec.fallback) continue;
    const auto* list = std::get_if<std::vector<std::int64_t>>(&value);
    Json shown = list == nullptr ? json_value(value) : shortest(*kind.op, kind.on_sequences, spec.name, *list);
    const Json fallback = json_value(spec.fallback);
    if (!spec.required && fallback.is_array() && !fallback.empty() && shown == fallback.front()) continue;
    json[spec.name] = std::move(shown);
  }
  return json;
}

}  // namespace

Layer& Layers::add(Layer layer) {
  if (layers_.size() == most_layers) throw Error(fmt::format("the model would have more than {} layers", most_layers));
  places_[layer.name] = layers_.size();
  for (const std::string& input : layer.inputs) ++uses_[input];
  return layers_.emplace_back(std::move(layer));
}

void Layers::add_input(End input) {
  input_places_[input.name] = inputs_.size();
  inputs_.push_back(std::move(input));
}

Layer* Layers::find(const std::string& name) {
  const auto it = places_.find(name);
  return it == places_.end() ? nullptr : &layers_[it->second];
}

const Layer* Layers::find(const std::string& name) const {
  const auto it = places_.find(name);
  return it == places_.end() ? nullptr : &layers_[it->second];
}

bool Layers::is_input(const std::string& name) const {
  return input_places_.contains(name);
}

const ir::Shape& Layers::shape(const std::string& name) const {
  if (const Layer* layer = find(name)) return layer->shape;
  const auto it = input_places_.find(name);
  if (it == input_places_.end()) throw InternalError("import: no layer '" + name + "'");
  return inputs_[it->second].shape;
}

std::string Layers::unused(const std::string& name) {
  if (!has(name)) return name;
  int& number = next_numbers_.emplace(name, 2).first->second;
  std::string numbered;
  do {
    numbered = fmt::format("{}_{}", name, number++);
  } while (has(numbered));
  return numbered;
}

std::size_t Layers::uses(const std::string& name) const {
  const auto it = uses_.find(name);
  return it == uses_.end() ? 0 : it->second;
}

Layer* Layers::single(const std::string& name, const std::string& op) {
  Layer* layer = find(name);
  return layer != nullptr && layer->op == op && uses(name) == 1 ? layer : nullptr;
}

void Layers::replace_uses(const std::string& name, const std::string& other) {
  for (Layer& layer : layers_) {
    if (std::find(layer.inputs.begin(), layer.inputs.end(), name) == layer.inputs.end()) continue;
    std::vector<std::string> read = layer.inputs;
    std::replace(read.begin(), read.end(), name, other);
    set_inputs(layer, std::move(read));
  }
  for (End& output : outputs) {
    if (output.layer != name) continue;
    output.layer = other;
    --uses_[name];
    ++uses_[other];
  }
}

void Layers::set_inputs(Layer& layer, std::vector<std::string> read) {
  for (const std::string& input : layer.inputs) --uses_[input];
  for (const std::string& input : read) ++uses_[input];
  layer.inputs = std::move(read);
}

void Layers::swap_names(const std::string& a, const std::string& b) {
  const auto swap = [&](std::string& name) {
    if (name == a) {
      name = b;
    } else if (name == b) {
      name = a;
    }
  };
  for (Layer& layer : layers_) std::for_each(layer.inputs.begin(), layer.inputs.end(), swap);
  for (End& output : outputs) swap(output.layer);
  std::swap(places_.at(a), places_.at(b));
  std::swap(uses_[a], uses_[b]);
  layers_[places_.at(a)].name = a;
  layers_[places_.at(b)].name = b;
}

void Layers::read_as_indices(const std::string& name) {
  const auto it = input_places_.find(name);
  if (it != input_places_.end()) inputs_[it->second].indices = true;
}

void Layers::remove_dead() {
  std::set<std::string, std::less<>> read;
  for (const End& output : outputs) read.insert(output.layer);
  for (std::size_t i = layers_.size(); i-- > 0;) {
    if (read.contains(layers_[i].name)) read.insert(layers_[i].inputs.begin(), layers_[i].inputs.end());
  }
  std::erase_if(layers_, [&](const Layer& layer) { return !read.contains(layer.name); });
  std::erase_if(inputs_, [&](const End& input) { return !read.contains(input.name); });
  places_.clear();
  input_places_.clear();
  uses_.clear();
  for (std::size_t i = 0; i < inputs_.size(); ++i) input_places_[inputs_[i].name] = i;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    places_[layers_[i].name] = i;
    for (const std::string& input : layers_[i].inputs) ++uses_[input];
  }
  for (const End& output : outputs) ++uses_[output.layer];
}

void Layers::infer(Layer& layer) const {
  const readers::NamedLayer kind = readers::layer_named(layer.op);
  if (kind.op == nullptr) {  // only patterns know it: element by element
    layer.shape = shape(layer.inputs.front());
    return;
  }
  const ir::Attributes attributes = complete(layer, kind);
  std::vector<ir::Type> read;
  const ir::DType dtype = kind.op->integer.of_weights ? ir::DType::i32 : ir::DType::f32;
  for (const std::string& input : layer.inputs) read.push_back({dtype, shape(input)});
  const bool as_images = !kind.op->layer->on_sequences.empty() && !read.empty() && read.front().shape.size() == 3;
  if (as_images) {
    for (ir::Type& input : read) input.shape.insert(input.shape.begin() + 2, 1);
  }
  std::vector<ir::Type> parameters;
  parameters.reserve(kind.op->operands.size());
  std::vector<const ir::Type*> operands;
  std::size_t next = 0;
  for (const ir::OperandSpec& operand : kind.op->operands) {
    const auto& own = kind.op->layer->parameters;
    const auto parameter = std::find_if(own.begin(), own.end(), [&](const auto& each) { return each.operand == operand.name; });
    if (parameter == own.end()) {
      if (next < read.size()) operands.push_back(&read[next++]);
      while (operand.variadic && next < read.size()) operands.push_back(&read[next++]);
    } else if (!parameter->enabled_by.empty() && !attributes.boolean(parameter->enabled_by)) {
      operands.push_back(nullptr);
    } else {
      const auto given = layer.parameters.find(operand.name);
      if (given == layer.parameters.end()) throw InternalError("import: '" + layer.name + "' has no " + operand.name);
      const ir::Shape& x = read.front().shape;
      if (attributes.has("groups") && (x.size() < 2 || attributes.integer("groups") < 1 || x[1] % attributes.integer("groups") != 0))
        throw Error(fmt::format("{} groups of channels of {}", attributes.integer("groups"), ir::to_string(x)));
      if (x.size() < 2) throw Error(fmt::format("reads {}, expected at least [N, C]", ir::to_string(x)));
      parameters.push_back(parameter->type(attributes, x));
      if (given->second.type() != parameters.back()) {
        throw Error(fmt::format("its {} is {}, expected {}", operand.name, to_string(given->second.type()), to_string(parameters.back())));
      }
      operands.push_back(&parameters.back());
    }
  }
  ir::Attributes of_node;
  for (const ir::AttributeSpec& spec : kind.op->attributes) of_node.set(spec.name, attributes.at(spec.name));
  layer.shape = ir::infer_types(*kind.op, layer.name, of_node, operands).front().shape;
  if (!ir::is_valid(layer.shape)) throw Error(fmt::format("would yield {}, expected {}", ir::to_string(layer.shape), ir::expected_shape));
  if (as_images && layer.shape.size() == 4) layer.shape.erase(layer.shape.begin() + 2);
}

namespace {

bool equal(const std::map<std::string, runtime::Tensor>& a, const std::map<std::string, runtime::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& of_a, const auto& of_b) {
    return of_a.first == of_b.first && of_a.second.type() == of_b.second.type() &&
           std::memcmp(of_a.second.view().data, of_b.second.view().data, of_a.second.bytes()) == 0;
  });
}

// The first layer that has the same weights in the file, where layers can share them; nullptr for none.
const Layer* owner_of_weights(const Layers& layers, const Layer& layer) {
  if (layer.weights_of.empty()) return nullptr;
  const auto& own = readers::layer_named(layer.op).op->layer->parameters;
  if (std::any_of(own.begin(), own.end(), [](const auto& parameter) { return !parameter.update_result.empty(); })) return nullptr;
  for (const Layer& before : layers.all()) {
    if (&before == &layer) return nullptr;
    if (before.op == layer.op && before.weights_of == layer.weights_of && equal(before.parameters, layer.parameters)) return &before;
  }
  return nullptr;
}

}  // namespace

ir::Json to_json(const Layers& layers, const std::string& name) {
  Json json{{"name", name}};
  const auto input_json = [](const Layers::End& input) {
    Json made{{"name", input.name}, {"shape", ir::Shape(input.shape.begin() + 1, input.shape.end())}};
    if (input.indices) made["dtype"] = "i32";
    return made;
  };
  if (layers.inputs().size() == 1) {
    json["input"] = input_json(layers.inputs().front());
  } else {
    for (const Layers::End& input : layers.inputs()) json["inputs"].push_back(input_json(input));
  }
  std::string before = layers.inputs().front().name;
  json["layers"] = Json::array();
  for (const Layer& layer : layers.all()) {
    Json made = layer_json(layer);
    if (const Layer* owner = owner_of_weights(layers, layer)) made["weights_of"] = owner->name;
    if (!layer.inputs.empty() && layer.inputs != std::vector{before}) made["inputs"] = layer.inputs;
    if (!layer.inputs.empty()) before = layer.name;
    json["layers"].push_back(std::move(made));
  }
  // A single one is what a model is trained by, and called so (docs/format-model-json.md).
  if (layers.outputs.size() == 1) {
    if (layers.outputs.front().layer != before) json["output"] = layers.outputs.front().layer;
    return json;
  }
  for (const Layers::End& output : layers.outputs) {
    if (output.name == output.layer) {
      json["outputs"].push_back(output.name);
    } else {
      json["outputs"].push_back({{"name", output.name}, {"layer", output.layer}});
    }
  }
  return json;
}

}  // namespace stair::frontend::onnx
