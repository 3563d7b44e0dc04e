#include "frontend/importers/onnx/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "frontend/readers/model_keys.h"
#include "frontend/readers/sequences.h"
#include "ir/error.h"
#include "ir/op.h"

namespace stair::frontend::onnx {
namespace {

using ir::Json;

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
  places_[layer.name] = layers_.size();
  for (const std::string& input : layer.inputs) ++uses_[input];
  return layers_.emplace_back(std::move(layer));
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
  return std::any_of(inputs.begin(), inputs.end(), [&](const End& input) { return input.name == name; });
}

const ir::Shape& Layers::shape(const std::string& name) const {
  if (const Layer* layer = find(name)) return layer->shape;
  for (const End& input : inputs) {
    if (input.name == name) return input.shape;
  }
  throw InternalError("import: no layer '" + name + "'");
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
  for (Layer& layer : layers_) std::replace(layer.inputs.begin(), layer.inputs.end(), name, other);
  for (End& output : outputs) {
    if (output.layer == name) output.layer = other;
  }
  index();
}

void Layers::swap_names(const std::string& a, const std::string& b) {
  const auto swap = [first = std::string(a), second = std::string(b)](std::string& name) {
    if (name == first) {
      name = second;
    } else if (name == second) {
      name = first;
    }
  };
  for (Layer& layer : layers_) {
    swap(layer.name);
    std::for_each(layer.inputs.begin(), layer.inputs.end(), swap);
  }
  for (End& output : outputs) swap(output.layer);
  index();
}

void Layers::remove_dead() {
  std::set<std::string, std::less<>> read;
  for (const End& output : outputs) read.insert(output.layer);
  for (std::size_t i = layers_.size(); i-- > 0;) {
    if (read.contains(layers_[i].name)) read.insert(layers_[i].inputs.begin(), layers_[i].inputs.end());
  }
  std::erase_if(layers_, [&](const Layer& layer) { return !read.contains(layer.name); });
  index();
}

void Layers::index() {
  places_.clear();
  uses_.clear();
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
  for (const std::string& input : layer.inputs) read.push_back({ir::DType::f32, shape(input)});
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

ir::Json to_json(const Layers& layers, const std::string& name) {
  Json json{{"name", name}};
  const auto input_json = [](const Layers::End& input) {
    return Json{{"name", input.name}, {"shape", ir::Shape(input.shape.begin() + 1, input.shape.end())}};
  };
  if (layers.inputs.size() == 1) {
    json["input"] = input_json(layers.inputs.front());
  } else {
    for (const Layers::End& input : layers.inputs) json["inputs"].push_back(input_json(input));
  }
  std::string before = layers.inputs.front().name;
  json["layers"] = Json::array();
  for (const Layer& layer : layers.all()) {
    Json made = layer_json(layer);
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
