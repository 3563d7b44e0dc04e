#include "frontend/readers/model_structure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "frontend/readers/model_keys.h"
#include "ir/attribute_spec.h"
#include "ir/json_object.h"

namespace stair::readers {
namespace {

using Names = std::set<std::string, std::less<>>;

// Of an op that has an attribute of that name.
bool has_attribute_block(const Json& layer) {
  if (!layer.contains("op") || !layer["op"].is_string()) return false;
  const ir::OpSchema* op = layer_named(layer["op"]).op;
  const auto is_block = [](const ir::AttributeSpec& spec) { return spec.name == "block"; };
  return op != nullptr && std::any_of(op->attributes.begin(), op->attributes.end(), is_block);
}

void check_layers(const Json& layers, const std::string& pointer, const ModelFaults& faults) {
  if (layers.empty()) faults.fail(pointer, "found a list of 0, expected at least 1");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string at = fmt::format("{}/{}", pointer, i);
    const Json& layer = layers[i];
    if (!layer.is_object()) faults.fail(at, fmt::format("found {}, expected an object", ir::shown(layer)));
    if (layer.contains("op") == layer.contains("block") && !has_attribute_block(layer)) faults.fail(at, "expected either 'op' or 'block'");
    if (uses_block(layer)) {
      ir::read_object(layer, block_layer_keys(), faults.source(), at);
      continue;
    }
    for (const ir::AttributeSpec& key : common_layer_keys()) {
      if (layer.contains(key.name)) ir::read_value(layer[key.name], key, faults.source(), at + "/" + key.name);
    }
  }
}

void collect_names(const Json& model, const Json& layers, const std::string& prefix, int depth, Names& names) {
  std::set<std::string> blocks_here;
  for (const Json& layer : layers) {
    if (names.size() > most_layers || depth > most_nested) return;  // the reader says so
    const std::string given = layer.value("name", std::string());
    if (!uses_block(layer)) {
      if (!given.empty()) names.insert(prefix + given);
      continue;
    }
    const std::string block = layer["block"];
    std::string name = given.empty() ? block : given;
    for (int n = 2; given.empty() && blocks_here.contains(name); ++n) name = fmt::format("{}_{}", block, n);
    blocks_here.insert(name);
    const Json blocks = model.value("blocks", Json::object());
    if (!blocks.contains(block)) continue;
    const auto times = std::min<std::int64_t>(layer.value("repeat", std::int64_t{1}), most_layers);
    for (std::int64_t i = 0; i < times && names.size() <= most_layers; ++i) {
      const std::size_t before = names.size();
      collect_names(model, blocks[block]["layers"], prefix + name + (times > 1 ? fmt::format(".{}", i) : "") + ".", depth + 1, names);
      if (names.size() == before) break;  // nobody in it has a name
    }
  }
}

}  // namespace

void check_structure(const Json& model, const ModelFaults& faults) {
  check_layers(model["layers"], "/layers", faults);
  const Json blocks = model.value("blocks", Json::object());
  for (const auto& [name, block] : blocks.items()) {
    const std::string pointer = "/blocks/" + name;
    ir::read_object(block, block_keys(), faults.source(), pointer);
    check_layers(block["layers"], pointer + "/layers", faults);
  }
}

std::set<std::string, std::less<>> given_names(const Json& model) {
  Names names;
  collect_names(model, model["layers"], "", 0, names);
  return names;
}

}  // namespace stair::readers
