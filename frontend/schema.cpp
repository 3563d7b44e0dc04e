#include "frontend/schema.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "ir/error.h"

namespace stair::driver {

namespace schemas {
extern const char* const model_schema;  // embedded by CMake
extern const char* const experiment_schema;
}  // namespace schemas

namespace {

struct Violation {
  std::string pointer, message;
};

std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  return value.dump();
}

std::string type_in_words(const std::string& type) {
  if (type == "string") return "a text";
  if (type == "object") return "an object";
  if (type == "array") return "a list";
  if (type == "integer") return "an integer";
  if (type == "number") return "a number";
  return "true or false";
}

bool has_type(const Json& value, const std::string& type) {
  if (type == "string") return value.is_string();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  return value.is_boolean();
}

// Says in our words what valijson found wrong: the first violation in document order, for the keywords that our schemas use.
class Explainer {
 public:
  explicit Explainer(const Json& root) : root_(root) {}

  std::optional<Violation> first(const Json& given, const Json& value, const std::string& pointer) const {
    const Json& schema = resolved(given);
    if (schema.contains("oneOf")) return first_of_alternatives(schema["oneOf"], value, pointer);
    if (schema.contains("enum")) return wrong_choice(schema["enum"], value, pointer);
    if (schema.contains("type") && !has_type(value, schema["type"])) {
      return Violation{pointer, fmt::format("found {}, expected {}", shown(value), type_in_words(schema["type"]))};
    }
    if (value.is_number()) return out_of_bounds(schema, value, pointer);
    if (value.is_object()) return first_in_object(schema, value, pointer);
    if (value.is_array()) return first_in_list(schema, value, pointer);
    return std::nullopt;
  }

 private:
  const Json& resolved(const Json& schema) const {
    if (!schema.contains("$ref")) return schema;
    return root_.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1)));
  }

  std::optional<Violation> first_of_alternatives(const Json& alternatives, const Json& value, const std::string& pointer) const {
    std::vector<std::string> types;
    for (const Json& alternative : alternatives) {
      const std::string type = resolved(alternative)["type"];
      if (has_type(value, type)) return first(alternative, value, pointer);
      types.push_back(type_in_words(type));
    }
    return Violation{pointer, fmt::format("found {}, expected {}", shown(value), fmt::join(types, " or "))};
  }

  static std::optional<Violation> wrong_choice(const Json& choices, const Json& value, const std::string& pointer) {
    std::vector<std::string> names;
    for (const Json& choice : choices) {
      if (choice == value) return std::nullopt;
      names.push_back(choice);
    }
    const std::string hint = value.is_string() ? did_you_mean(value.get<std::string>(), names) : "";
    return Violation{pointer, fmt::format("found {}{}, expected {}", shown(value), hint, one_of(names))};
  }

  static std::optional<Violation> out_of_bounds(const Json& schema, const Json& value, const std::string& pointer) {
    const double number = value.get<double>();
    const auto wrong = [&](const char* bound, const char* words) {
      return Violation{pointer, fmt::format("found {}, expected {} {}", value.dump(), words, schema[bound].dump())};
    };
    if (schema.contains("minimum") && number < schema["minimum"].get<double>()) return wrong("minimum", "at least");
    if (schema.contains("exclusiveMinimum") && number <= schema["exclusiveMinimum"].get<double>())
      return wrong("exclusiveMinimum", "more than");
    if (schema.contains("maximum") && number > schema["maximum"].get<double>()) return wrong("maximum", "at most");
    return std::nullopt;
  }

  std::optional<Violation> first_in_object(const Json& schema, const Json& value, const std::string& pointer) const {
    const Json properties = schema.value("properties", Json::object());
    const Json others = schema.value("additionalProperties", Json(true));
    std::vector<std::string> names;
    for (const auto& [name, property] : properties.items()) names.push_back(name);
    for (const auto& [key, item] : value.items()) {
      const std::string child = pointer + "/" + key;
      if (properties.contains(key)) {
        if (auto found = first(properties[key], item, child)) return found;
      } else if (others.is_object()) {
        if (auto found = first(others, item, child)) return found;
      } else if (others == false) {
        return Violation{child, fmt::format("unknown key '{}'{}, expected {}", key, did_you_mean(key, names), one_of(names))};
      }
    }
    for (const Json& key : schema.value("required", Json::array())) {
      if (!value.contains(key.get<std::string>()))
        return Violation{pointer, fmt::format("the key '{}' is missing", key.get<std::string>())};
    }
    return std::nullopt;
  }

  std::optional<Violation> first_in_list(const Json& schema, const Json& value, const std::string& pointer) const {
    if (schema.contains("minItems") && value.size() < schema["minItems"].get<std::size_t>()) {
      return Violation{pointer, fmt::format("found a list of {}, expected at least {}", value.size(), schema["minItems"].dump())};
    }
    if (!schema.contains("items")) return std::nullopt;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (auto found = first(schema["items"], value[i], pointer + "/" + std::to_string(i))) return found;
    }
    return std::nullopt;
  }

  const Json& root_;
};

// Numbers become binary32 sooner or later, and one that has no place there infinite (N-FINITE).
void check_numbers(const Json& value, const std::string& pointer, const std::string& source) {
  if (value.is_number_float()) {
    if (std::isfinite(static_cast<float>(value.get<double>()))) return;
    throw Error(fmt::format("{} {}: found {}, expected a number that binary32 holds", source, pointer, value.dump()));
  }
  if (!value.is_structured()) return;
  for (const auto& [key, item] : value.items()) check_numbers(item, pointer + "/" + key, source);
}

}  // namespace

void validate(const Json& value, Schema which, const std::string& source) {
  const nlohmann::json text = nlohmann::json::parse(which == Schema::model ? schemas::model_schema : schemas::experiment_schema);
  valijson::Schema schema;
  valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(text), schema);
  valijson::ValidationResults results;
  const nlohmann::json plain = value;
  if (valijson::Validator().validate(schema, valijson::adapters::NlohmannJsonAdapter(plain), &results))
    return check_numbers(value, "", source);
  const Json ordered = Json::parse(which == Schema::model ? schemas::model_schema : schemas::experiment_schema);
  if (const auto violation = Explainer(ordered).first(ordered, value, "")) {
    throw Error(fmt::format("{} {}: {}", source, violation->pointer.empty() ? "/" : violation->pointer, violation->message));
  }
  throw Error(fmt::format("{}: {}", source, results.begin()->description));
}

}  // namespace stair::driver
