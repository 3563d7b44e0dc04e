#include "frontend/readers/json_schema.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "frontend/readers/experiment_keys.h"
#include "frontend/readers/model_keys.h"
#include "ir/error.h"
#include "ir/op.h"
#include "passes/recipe.h"
#include "runtime/dataset.h"

namespace stair::readers {
namespace {

using ir::AttributeSpec;

Json schema_of(const AttributeSpec& spec);

Json number(double value) {
  return value == std::floor(value) && std::abs(value) < 1e16 ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

void add_bounds(Json& schema, const ir::Bounds& bounds) {
  if (std::isfinite(bounds.low)) schema[bounds.above_low ? "exclusiveMinimum" : "minimum"] = number(bounds.low);
  if (std::isfinite(bounds.high)) schema[bounds.below_high ? "exclusiveMaximum" : "maximum"] = number(bounds.high);
}

Json closed_object(const std::vector<AttributeSpec>& members) {
  Json schema{{"type", "object"}, {"additionalProperties", false}};
  Json properties = Json::object();
  Json required = Json::array();
  for (const AttributeSpec& member : members) {
    properties[member.name] = schema_of(member);
    if (member.required) required.push_back(member.name);
  }
  if (!required.empty()) schema["required"] = std::move(required);
  schema["properties"] = std::move(properties);
  return schema;
}

// Kinds that differ in defaults alone, like the recipes that others are based on.
Json defaults_schema(const AttributeSpec& spec) {
  Json schema = closed_object(ir::members_of(spec, spec.kinds().front().name));
  schema["properties"][spec.kind_key] = {{"enum", ir::kind_names(spec)}, {"description", "what the other keys change"}};
  return schema;
}

bool differ_in_defaults_alone(const std::vector<ir::KindSpec>& kinds) {
  const auto same = [&](const ir::KindSpec& kind) { return ir::names_of(kind.members) == ir::names_of(kinds.front().members); };
  return kinds.size() > 1 && !kinds.front().members.empty() && std::all_of(kinds.begin(), kinds.end(), same);
}

Json kinds_schema(const AttributeSpec& spec) {
  if (differ_in_defaults_alone(spec.kinds())) return defaults_schema(spec);
  const auto* object = std::get_if<ir::Object>(&spec.fallback);
  const std::string& key = spec.kind_key;
  const bool has_default = object != nullptr && object->members().has(key);
  Json kind{{"enum", Json::array()}};
  Json branches = Json::array();
  for (const ir::KindSpec& known : spec.kinds()) {
    kind["enum"].push_back(known.name);
    Json then = closed_object(ir::members_of(spec, known.name));
    then["properties"][key] = {{"const", known.name}, {"description", known.doc}};
    then["description"] = known.doc;
    Json chosen{{"required", {key}}, {"properties", {{key, {{"const", known.name}}}}}};
    if (has_default && object->members().text(key) == known.name) {
      chosen = {{"anyOf", {std::move(chosen), {{"not", {{"required", {key}}}}}}}};
      kind["default"] = known.name;
    }
    branches.push_back({{"if", std::move(chosen)}, {"then", std::move(then)}});
  }
  Json schema{{"type", "object"}};
  if (!has_default) schema["required"] = {key};
  schema["properties"] = {{key, std::move(kind)}};
  schema["allOf"] = std::move(branches);
  return schema;
}

Json object_schema(const AttributeSpec& spec) {
  return spec.kinds == nullptr ? closed_object(ir::members_of(spec, "")) : kinds_schema(spec);
}

// Of the type T of the attribute.
template <class T>
Json type_schema(const AttributeSpec& spec) {
  Json schema;
  if constexpr (std::is_same_v<T, bool>) {
    schema["type"] = "boolean";
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    schema["type"] = "integer";
    add_bounds(schema, spec.bounds);
  } else if constexpr (std::is_same_v<T, double>) {
    schema["type"] = "number";
    add_bounds(schema, spec.bounds);
  } else if constexpr (std::is_same_v<T, std::string>) {
    schema["type"] = "string";
    if (!spec.choices.empty()) schema["enum"] = spec.choices;
  } else if constexpr (std::is_same_v<T, ir::Object>) {
    schema = object_schema(spec);
  } else {
    Json item = type_schema<typename T::value_type>(spec);
    if (spec.name_stands) item = {{"anyOf", {{{"enum", ir::kind_names(spec)}}, std::move(item)}}};
    schema = {{"type", "array"}, {"minItems", 1}, {"items", std::move(item)}};
  }
  return schema;
}

template <class T>
Json default_of(const T& fallback) {
  if constexpr (std::is_same_v<T, ir::Object> || std::is_same_v<T, std::vector<ir::Object>>) {
    return nullptr;
  } else if constexpr (std::is_same_v<T, double>) {
    return number(fallback);
  } else if constexpr (std::is_arithmetic_v<T>) {
    return fallback;
  } else {
    return fallback.empty() ? Json(nullptr) : Json(fallback);
  }
}

Json schema_of(const AttributeSpec& spec) {
  if (!spec.json_types.empty()) {
    Json reference{{"$ref", "#/definitions/" + spec.definition}};
    const auto& types = spec.json_types;  // a definition says all of them but texts, which stand for what it defines
    if (types.size() == 1 || std::find(types.begin(), types.end(), "string") == types.end()) return reference;
    return {{"description", spec.doc}, {"anyOf", {{{"type", "string"}}, std::move(reference)}}};
  }
  Json schema = std::visit([&](const auto& fallback) { return type_schema<std::decay_t<decltype(fallback)>>(spec); }, spec.fallback);
  schema["description"] = spec.doc;
  if (!spec.required) {
    const Json fallback = std::visit([](const auto& value) { return default_of(value); }, spec.fallback);
    if (!fallback.is_null()) schema["default"] = fallback;
  }
  return schema;
}

// ---- definitions that specs refer to -------------------------------------------------------------------------------------

// In a block a parameter may stand for any value.
Json or_parameter(Json schema) {
  const Json description = schema.value("description", Json());
  schema.erase("description");
  Json either{{"anyOf", {std::move(schema), {{"$ref", "#/definitions/parameter"}}}}};
  if (!description.is_null()) either["description"] = description;
  return either;
}

Json layer_schema(const std::string& name) {
  const auto [layer, on_sequences] = layer_named(name);
  const ir::OpSchema& op = *layer;
  Json schema = closed_object(layer_keys(op, on_sequences));
  for (auto& [key, value] : schema["properties"].items()) {
    if (key == "op" || key == "name" || key == "inputs" || key == "weights_of") continue;
    if (times_repeated(op, key) > 0) {
      Json single = value["items"];
      const Json description = value["description"];
      value.erase("description");
      value = {{"anyOf", {std::move(value), std::move(single)}}, {"description", description}};
    }
    value = or_parameter(std::move(value));
  }
  schema["properties"]["op"] = {{"const", name}, {"description", on_sequences ? op.name + " on sequences [N,C,L]" : op.summary}};
  return schema;
}

Json layers_schema() {
  Json branches = Json::array();
  Json ops = Json::array();
  for (const std::string& name : layer_names()) {
    ops.push_back(name);
    branches.push_back({{"if", {{"required", {"op"}}, {"properties", {{"op", {{"const", name}}}}}}}, {"then", layer_schema(name)}});
  }
  Json block = closed_object(block_layer_keys());
  const Json by_block{{"required", {"block"}}, {"not", {{"required", {"op"}}}}};  // ops may have an attribute of that name
  branches.push_back({{"if", by_block}, {"then", std::move(block)}});
  Json layer{{"type", "object"},
             {"properties", {{"op", {{"enum", std::move(ops)}}}}},
             {"oneOf", {{{"required", {"op"}}}, by_block}},
             {"allOf", std::move(branches)}};
  return {{"type", "array"}, {"minItems", 1}, {"items", std::move(layer)}};
}

void add_model_definitions(Json& definitions) {
  definitions["layers"] = layers_schema();
  definitions["blocks"] = {{"type", "object"}, {"additionalProperties", closed_object(block_keys())}};
  definitions["parameters"] = {{"type", "object"}};
  definitions["outputs"] = {
      {"type", "array"}, {"minItems", 1}, {"items", {{"anyOf", {{{"type", "string"}}, closed_object(output_keys())}}}}};
  definitions["parameter"] = {{"type", "string"}, {"pattern", "^\\$"}, {"description", "a parameter of the block"}};
}

// With one input or several, and at most one of the keys for outputs.
Json model_object() {
  Json schema = closed_object(model_keys());
  schema["oneOf"] = {{{"required", {"input"}}}, {{"required", {"inputs"}}}};
  schema["not"] = {{"required", {"output", "outputs"}}};
  return schema;
}

Json document(const char* title, const char* description, const Json& schema, Json definitions) {
  Json made{{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", title}, {"description", description}};
  made.update(schema);
  made["properties"]["$schema"] = {{"type", "string"}};
  made["definitions"] = std::move(definitions);
  return made;
}

Json experiment_schema() {
  const Json texts{{"type", "array"}, {"minItems", 1}, {"items", {{"type", "string"}}}};
  const auto by_name = [](const Json& each) {
    return Json{{"type", "object"}, {"minProperties", 1}, {"additionalProperties", each}, {"description", "by inputs or outputs"}};
  };
  const Json file_or_files{{"anyOf", {{{"type", "string"}}, texts, by_name({{"type", "string"}})}}};
  // Keys of files, and the settings of all formats; those that are texts are allowed as files are.
  Json settings = Json::object();
  for (const auto& [name, format] : runtime::dataset_formats().all()) {
    std::vector<std::string> named = format.by_output;
    named.push_back(format.by_input);
    for (const ir::AttributeSpec& setting : format.settings) {
      if (std::holds_alternative<std::string>(setting.fallback)) continue;
      settings[setting.name] = schema_of(setting);
      if (std::find(named.begin(), named.end(), setting.name) == named.end()) continue;
      settings[setting.name] = {{"description", setting.doc}, {"anyOf", {texts, by_name(texts)}}};
    }
  }
  settings[only_key().name] = schema_of(only_key());
  const Json files{{"type", "object"}, {"properties", settings}, {"additionalProperties", file_or_files}};
  const auto channels = [&](const char* key) {
    const Json numbers = schema_of(channel_numbers(key));
    return Json{{"anyOf", {numbers, by_name(numbers)}}};
  };
  const Json share{{"type", "number"}, {"exclusiveMinimum", 0}, {"exclusiveMaximum", 1}};
  Json definitions{{"files", files},
                   {"mean", channels("mean")},
                   {"std", channels("std")},
                   {"start", closed_object(start_keys())},
                   {"validation", {{"anyOf", {share, {{"$ref", "#/definitions/files"}}}}}},
                   {"model", model_object()},
                   {"recipe", object_schema(passes::recipe_spec())}};
  add_model_definitions(definitions);
  return document(
      "Staircase experiment",
      "A model, data, a quantization recipe and stages of training (docs/format-experiment-json.md). Paths are relative to this file.",
      closed_object(experiment_keys()), std::move(definitions));
}

Json model_schema() {
  Json definitions = Json::object();
  add_model_definitions(definitions);
  return document("Staircase model", "A list of named layers (docs/format-model-json.md).", model_object(), std::move(definitions));
}

}  // namespace

std::vector<std::string> schema_names() {
  return {"experiment", "model"};
}

Json json_schema(const std::string& name) {
  if (name == "experiment") return experiment_schema();
  if (name == "model") return model_schema();
  throw Error("unknown schema '" + name + "'" + did_you_mean(name, schema_names()) + ", expected " + one_of(schema_names()));
}

}  // namespace stair::readers
