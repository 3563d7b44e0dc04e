#include "runtime/artifact.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ir/error.h"
#include "ir/json_object.h"
#include "ir/text.h"
#include "runtime/arithmetic_version.h"
#include "runtime/file.h"
#include "runtime/finite.h"
#include "runtime/packing.h"
#include "runtime/safetensors.h"

namespace stair::runtime {
namespace {

using ir::AttributeSpec;
using Metadata = std::map<std::string, std::string>;

constexpr const char* artifact_format = "staircase artifact";

AttributeSpec text(const char* name, const char* doc, bool required = true) {
  return {.name = name, .doc = doc, .fallback = std::string(), .required = required, .optional = !required};
}

const std::vector<AttributeSpec>& metadata_keys() {
  static const std::vector<AttributeSpec> keys{text("format", "of the file"),     text("version", "of the format"),
                                               text("crc32", "of the file"),      text(arithmetic_key, "the version of the arithmetic"),
                                               text("graph", "what is deployed"), text("inputs", "JSON: how each is made"),
                                               text("recipe", "JSON", false)};
  return keys;
}

AttributeSpec channel_numbers(const char* name, const char* doc) {
  return {.name = name, .doc = doc, .fallback = std::vector<double>{}, .optional = true};
}
const AttributeSpec& mean_key() {
  static const AttributeSpec key = channel_numbers("mean", "by channel, subtracted first");
  return key;
}
const AttributeSpec& std_key() {
  static const AttributeSpec key = channel_numbers("std", "by channel, divided by");
  return key;
}

// A kind of preprocessing that isn't here is one of a newer program.
std::vector<ir::KindSpec> preprocessing_kinds() {
  return {{"normalize", "(x - mean) / std, of bytes / 255", {mean_key(), std_key()}}};
}

std::vector<AttributeSpec> input_keys() {
  std::vector<AttributeSpec> keys = example_form_keys();
  keys.push_back(
      {.name = "preprocessing", .doc = "what is done to it", .fallback = ir::Object(), .required = true, .kinds = preprocessing_kinds});
  return keys;
}

ir::Json inputs_json(const Artifact& artifact) {
  ir::Json json = ir::Json::object();
  for (std::size_t i = 0; i < artifact.graph.inputs().size(); ++i) {
    const auto& [normalization, images] = artifact.inputs.at(i);
    ir::Json& input = json[artifact.graph.value(artifact.graph.inputs()[i]).name];
    input = to_json(images);
    input["preprocessing"] = {{"kind", "normalize"}, {"mean", normalization.mean}, {"std", normalization.std}};
  }
  return json;
}

// Reads what `place` says of an input of that type.
Normalization normalization_of(const ir::Attributes& keys, const ir::Type& type, const std::string& place) {
  const auto numbers = [&](const char* key) { return keys.has(key) ? keys.numbers(key) : std::vector<double>{}; };
  Normalization normalization{numbers("mean"), numbers("std")};
  try {
    check_normalization(normalization, type);
  } catch (const Error& error) {
    throw Error(place + error.what());
  }
  return normalization;
}

// Version 1: one input and one output.
std::vector<InputForm> only_input(const Metadata& metadata, const ir::Graph& graph, const std::string& path) {
  if (graph.inputs().size() != 1 || graph.outputs().size() != 1) {
    throw Error(
        fmt::format("{} (graph): has {} inputs and {} outputs, expected one of each", path, graph.inputs().size(), graph.outputs().size()));
  }
  const std::string where = path + " (metadata)";
  ir::Attributes keys;
  for (const AttributeSpec& key : {mean_key(), std_key()}) {
    const auto list = metadata.find(key.name);
    if (list == metadata.end()) continue;
    keys.set(key.name, ir::read_value(ir::parse_json(list->second, where + " /" + key.name), key, where, "/" + key.name));
  }
  return {{normalization_of(keys, graph.type(graph.inputs().front()), where + " "), {image_elements(metadata, path)}}};
}

std::vector<InputForm> inputs_of(const Metadata& metadata, const ir::Graph& graph, const std::string& path) {
  const std::string where = path + " (metadata)";
  std::vector<AttributeSpec> specs;
  for (const ir::ValueId input : graph.inputs()) {
    specs.push_back(
        {.name = graph.value(input).name, .doc = "how it is made", .fallback = ir::Object(), .required = true, .members = input_keys()});
  }
  const ir::Attributes read = ir::read_object(ir::parse_json(metadata.at("inputs"), where + " /inputs"), specs, where, "/inputs");
  std::vector<InputForm> inputs;
  for (const ir::ValueId input : graph.inputs()) {
    const ir::Value& value = graph.value(input);
    const ir::Attributes& keys = read.object(value.name);
    const std::string place = fmt::format("{} /inputs/{}/preprocessing", where, value.name);
    inputs.push_back({normalization_of(keys.object("preprocessing"), value.type, place), example_form_of(keys)});
    if (!keys.has("shorter_side")) continue;
    const ir::Shape& shape = value.type.shape;
    if (shape.size() == 4 && keys.integer("shorter_side") >= std::min(shape[2], shape[3])) continue;
    throw Error(fmt::format("{} /inputs/{}/shorter_side: found {}, expected pictures, and at least the shorter side of {}", where,
                            value.name, keys.integer("shorter_side"), to_string(value.type)));
  }
  return inputs;
}

Tensor constant_of(const ir::Graph& graph, const ir::State& state, Tensors& tensors, const std::string& path) {
  const ir::Value& value = graph.value(state.value);
  const Packing packing = [&] {
    try {
      return packing_of(graph, state);
    } catch (const Error& error) {
      throw Error(path + " (graph): " + error.what());
    }
  }();
  const auto found = tensors.find(value.name);
  const std::string tensor = path + ": tensor '" + value.name + "' ";
  if (found == tensors.end()) throw Error(tensor + "is missing");
  const ir::Type& type = found->second.type();
  if (type == value.type) return std::move(found->second);
  if (packing.bits == 0 || type.dtype != ir::DType::u8 || type.shape.size() != 1)
    throw Error(fmt::format("{}is {}, its graph expects {}", tensor, to_string(type), to_string(value.type)));
  try {
    return unpacked(found->second, value.type, packing);
  } catch (const Error& error) {
    throw Error(tensor + "has " + error.what());
  }
}

}  // namespace

std::vector<InputForm> input_forms(const Normalizations& normalizations, const std::vector<ExampleForm>& forms, std::size_t count) {
  std::vector<InputForm> inputs(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!normalizations.empty()) inputs[i].normalization = normalizations.at(i);
    if (!forms.empty()) inputs[i].images = forms.at(i);
  }
  return inputs;
}

std::size_t save_artifact(const Artifact& artifact, const std::string& path) {
  Safetensors contents;
  for (const ir::State& state : artifact.graph.states()) {
    const std::string& name = artifact.graph.value(state.value).name;
    contents.tensors.emplace(name, packed(artifact.constants.find(name)->second, packing_of(artifact.graph, state)));
  }
  contents.metadata = {{arithmetic_key, std::to_string(artifact.arithmetic)},
                       {"graph", ir::print(artifact.graph)},
                       {"inputs", inputs_json(artifact).dump()},
                       {"recipe", artifact.recipe}};
  const std::string bytes = to_safetensors(contents, artifact_format, artifact_version);
  write_file(path, bytes);
  return bytes.size();
}

Artifact load_artifact(const std::string& path) {
  Safetensors contents = from_safetensors(read_file(path), path, artifact_format, artifact_version, 1);
  Metadata& metadata = contents.metadata;
  const bool first_version = metadata.at("version") == "1";
  if (!first_version) ir::read_object(metadata, metadata_keys(), path + " (metadata)", "");
  Artifact artifact;
  artifact.arithmetic = arithmetic_version_of(metadata, path);
  artifact.graph = ir::parse(metadata["graph"], path + " (graph)");
  artifact.recipe = metadata["recipe"];
  artifact.inputs = (first_version ? only_input : inputs_of)(metadata, artifact.graph, path);
  for (const ir::State& state : artifact.graph.states()) {
    const std::string& name = artifact.graph.value(state.value).name;
    Tensor constant = constant_of(artifact.graph, state, contents.tensors, path);
    check_finite(constant.view(), path + ": tensor '" + name + "'");
    artifact.constants.emplace(name, std::move(constant));
  }
  return artifact;
}

}  // namespace stair::runtime
