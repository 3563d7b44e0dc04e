#include "frontend/readers/model_keys.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <variant>

namespace stair::readers {
namespace {

using ir::AttributeSpec;
using ir::read_elsewhere;

AttributeSpec name_key() {
  return {.name = "name", .doc = "how others refer to it", .fallback = std::string()};
}
AttributeSpec weights_of_key(const char* whose) {
  return {.name = "weights_of", .doc = whose, .fallback = std::string(), .optional = true};
}
AttributeSpec inputs_key() {
  return {
      .name = "inputs",
      .doc = "names of layers above or of the input; the layer before where nothing is said; in a block, '$input' is what the block reads",
      .fallback = std::vector<std::string>()};
}

std::vector<AttributeSpec> input_members(bool one_of_several) {
  return {{.name = "name", .doc = "of the input", .fallback = std::string("x"), .required = one_of_several},
          {.name = "shape",
           .doc = "of one example: [channels, height, width] or [features]",
           .fallback = std::vector<std::int64_t>(),
           .required = true,
           .bounds = ir::within(1, 2147483647)},
          {.name = "dtype",
           .doc = "f32, or i32: indices, of rows of the embedding that reads them",
           .fallback = std::string("f32"),
           .choices = {"f32", "i32"}}};
}

}  // namespace

const std::vector<AttributeSpec>& model_keys() {
  static const std::vector<AttributeSpec> keys{
      {.name = "name", .doc = "of the graph", .fallback = std::string("model")},
      {.name = "input", .doc = "what the model reads", .fallback = ir::Object(), .members = input_members(false), .optional = true},
      {.name = "inputs",
       .doc = "in place of 'input': several; the first is what the first layer reads",
       .fallback = std::vector<ir::Object>(),
       .members = input_members(true),
       .optional = true},
      read_elsewhere("layers", "one after another", {"array"}, "layers", true),
      read_elsewhere("blocks", "what repeats: a list of layers with parameters, by name", {"object"}, "blocks"),
      {.name = "output", .doc = "the layer that yields the logits; the last one where nothing is said", .fallback = std::string()},
      read_elsewhere("outputs", "in place of 'output': several, each named like its layer, or {'name', 'layer'}", {"array"}, "outputs")};
  return keys;
}

const std::vector<AttributeSpec>& output_keys() {
  static const std::vector<AttributeSpec> keys{{.name = "name", .doc = "of the output", .fallback = std::string(), .required = true},
                                               {.name = "layer", .doc = "that yields it", .fallback = std::string(), .required = true}};
  return keys;
}

const std::vector<AttributeSpec>& block_keys() {
  static const std::vector<AttributeSpec> keys{
      read_elsewhere("parameters", "each with its default; null: must be given", {"object"}, "parameters"),
      read_elsewhere("layers", "one after another; '$NAME' in them is a parameter", {"array"}, "layers", true)};
  return keys;
}

const std::vector<AttributeSpec>& block_layer_keys() {
  static const std::vector<AttributeSpec> keys{
      {.name = "block", .doc = "a name in 'blocks', instead of an op", .fallback = std::string(), .required = true},
      read_elsewhere("with", "the block's parameters", {"object"}, "parameters"),
      {.name = "repeat", .doc = "the block so many times in a row", .fallback = std::int64_t{1}, .bounds = ir::within(1, 1000)},
      name_key(),
      inputs_key(),
      weights_of_key("a use of the same block above, whose weights this one's layers have, too")};
  return keys;
}

bool uses_block(const ir::Json& layer) {
  return layer.contains("block") && !layer.contains("op");
}

const std::vector<AttributeSpec>& common_layer_keys() {
  static const std::vector<AttributeSpec> keys{
      {.name = "op", .doc = "what the layer does", .fallback = std::string(), .required = true}, name_key(), inputs_key()};
  return keys;
}

std::vector<AttributeSpec> layer_keys(const ir::OpSchema& op, bool on_sequences) {
  std::vector<AttributeSpec> keys = common_layer_keys();
  if (!op.layer->parameters.empty()) keys.push_back(weights_of_key("a layer of the same op above, whose weights this one has, too"));
  keys.insert(keys.end(), op.attributes.begin(), op.attributes.end());
  keys.insert(keys.end(), op.layer->attributes.begin(), op.layer->attributes.end());
  for (AttributeSpec& key : keys) {
    const std::size_t times = on_sequences ? times_repeated(op, key.name) : 0;
    if (times == 0) continue;
    key.doc = times == 4 ? "[begin, end]" : "along the sequence";
    auto fallback = std::get<std::vector<std::int64_t>>(key.fallback);
    fallback.resize(std::min(fallback.size(), times / 2));
    if (fallback.empty() && !key.required) key.doc += "; empty: the kernel's";
    key.fallback = std::move(fallback);
  }
  return keys;
}

NamedLayer layer_named(const std::string& name) {
  const ir::OpSchema* op = ir::op_registry().find(name);
  if (op != nullptr && op->layer) return {op, false};
  for (const auto& [known, schema] : ir::op_registry().all()) {
    if (schema.layer && schema.layer->on_sequences == name) return {&schema, true};
  }
  return {};
}

std::vector<std::string> layer_names() {
  std::set<std::string> names;
  for (const auto& [name, op] : ir::op_registry().all()) {
    if (!op.layer) continue;
    names.insert(name);
    if (!op.layer->on_sequences.empty()) names.insert(op.layer->on_sequences);
  }
  return {names.begin(), names.end()};
}

std::size_t times_repeated(const ir::OpSchema& op, const std::string& attribute) {
  if (attribute == "kernel" || attribute == "stride" || attribute == "dilation" || attribute == "output_padding") return 2;
  const bool windowed =
      std::any_of(op.attributes.begin(), op.attributes.end(), [](const AttributeSpec& spec) { return spec.name == "stride"; });
  return attribute == "padding" && windowed ? 4 : 0;
}

}  // namespace stair::readers
