#include "ir/json_object.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "ir/error.h"

namespace stair::ir {
namespace {

constexpr double largest_integer = 2'147'483'647;  // where the spec has no bounds of its own

[[noreturn]] void fail_at(const std::string& source, const std::string& pointer, const std::string& message) {
  throw Error(fmt::format("{} {}: {}", source, pointer.empty() ? "/" : pointer, message));
}

std::string in_words(const std::string& json_type) {
  if (json_type == "string") return "a text";
  if (json_type == "number") return "a number";
  return json_type == "array" ? "a list" : "an object";
}

bool has_type(const Json& value, const std::string& json_type) {
  if (json_type == "string") return value.is_string();
  if (json_type == "number") return value.is_number();
  return json_type == "array" ? value.is_array() : value.is_object();
}

std::string type_in_words(const AttributeSpec& spec) {
  if (spec.json_types.empty()) return std::string(kind_of(spec.fallback));
  std::vector<std::string> words;
  for (const std::string& type : spec.json_types) words.push_back(in_words(type));
  return fmt::format("{}", fmt::join(words, " or "));
}

std::string unknown(const std::string& key, const std::vector<std::string>& expected, const std::vector<std::string>& near) {
  return fmt::format("unknown key '{}'{}, expected {}", key, did_you_mean(key, near), one_of(expected));
}

class ValueReader {
 public:
  ValueReader(const AttributeSpec& spec, const std::string& source, std::string pointer, std::vector<std::string>* idle)
      : spec_(spec), source_(source), pointer_(std::move(pointer)), idle_(idle) {}

  void check_type(const Json& value) const {
    const auto fits = [&](const std::string& type) { return has_type(value, type); };
    if (std::none_of(spec_.json_types.begin(), spec_.json_types.end(), fits)) wrong(value, type_in_words(spec_));
  }

  void read(const Json& value, bool& out) const {
    if (!value.is_boolean()) wrong(value, "true or false");
    out = value.get<bool>();
  }
  void read(const Json& value, std::int64_t& out) const {
    if (!value.is_number_integer()) wrong(value, "an integer");
    const auto number = value.get<double>();
    check_bounds(value, number);
    if (std::abs(number) > largest_integer && !std::isfinite(spec_.bounds.high)) wrong(value, fmt::format("at most {}", largest_integer));
    out = value.get<std::int64_t>();
  }
  void read(const Json& value, double& out) const {
    if (!value.is_number()) wrong(value, "a number");
    out = value.get<double>();
    if (!std::isfinite(static_cast<float>(out))) wrong(value, "a number that binary32 holds");
    check_bounds(value, out);
  }
  void read(const Json& value, std::string& out) const {
    if (!value.is_string() && spec_.choices.empty()) wrong(value, "a text");
    if (!spec_.choices.empty()) check_choice(value, spec_.choices);
    out = value.get<std::string>();
  }
  void read(const Json& value, Object& out) const {
    if (value.is_string() && spec_.name_stands) {
      check_choice(value, kind_names(spec_));
      out = object({{spec_.kind_key, value}}, pointer_);
      return;
    }
    if (!value.is_object()) wrong(value, spec_.name_stands ? "a text or an object" : "an object");
    out = object(value, pointer_);
  }
  template <class Item>
  void read(const Json& value, std::vector<Item>& out) const {
    if (!value.is_array()) wrong(value, kind_of(spec_.fallback));
    if (value.empty() && !spec_.optional) wrong(value, "at least 1", "a list of 0");
    for (std::size_t i = 0; i < value.size(); ++i) {
      ValueReader(spec_, source_, fmt::format("{}/{}", pointer_, i), idle_).read(value[i], out.emplace_back());
    }
  }

 private:
  [[noreturn]] void wrong(const Json& value, std::string_view expected, const std::string& found = "") const {
    fail_at(source_, pointer_, fmt::format("found {}, expected {}", found.empty() ? shown(value) : found, expected));
  }
  void check_bounds(const Json& value, double number) const {
    if (!holds(spec_.bounds, number)) wrong(value, violated(spec_.bounds, number));
  }
  void check_choice(const Json& value, const std::vector<std::string>& choices) const {
    if (value.is_string() && std::find(choices.begin(), choices.end(), value.get<std::string>()) != choices.end()) return;
    const std::string hint = value.is_string() ? did_you_mean(value.get<std::string>(), choices) : "";
    wrong(value, one_of(choices), shown(value) + hint);
  }

  Attributes object(const Json& value, const std::string& pointer) const {
    if (spec_.kinds == nullptr) return read_object(value, members_of(spec_, ""), source_, pointer, idle_);
    const Attributes& fallback = fallback_members();
    const std::string& key_of_kind = spec_.kind_key;
    if (!value.contains(key_of_kind) && !fallback.has(key_of_kind))
      fail_at(source_, pointer, fmt::format("the key '{}' is missing", key_of_kind));
    const Json chosen = value.contains(key_of_kind) ? value[key_of_kind] : Json(fallback.text(key_of_kind));
    ValueReader(spec_, source_, pointer + "/" + key_of_kind, idle_).check_choice(chosen, kind_names(spec_));
    const std::string kind = chosen;
    std::vector<AttributeSpec> members = members_of(spec_, kind);
    const std::vector<std::string> known = names_of(members);
    Json own = Json::object();
    for (const auto& [key, item] : value.items()) {
      if (key == key_of_kind || std::find(known.begin(), known.end(), key) != known.end()) {
        own[key] = item;
      } else {
        check_idle(key, item, kind, known, pointer + "/" + key);
      }
    }
    members.push_back({.name = key_of_kind, .doc = "", .fallback = kind});
    return read_object(own, members, source_, pointer, idle_);
  }

  // A key that this kind hasn't: unknown, or of another kind, and then of that one's type.
  void check_idle(const std::string& key, const Json& item, const std::string& kind, const std::vector<std::string>& known,
                  const std::string& pointer) const {
    const std::vector<std::string> owners = kinds_with(spec_, key);
    if (owners.empty()) fail_at(source_, pointer, unknown(key, known, all_members()));
    for (const AttributeSpec& member : members_of(spec_, owners.front())) {
      if (member.name == key) read_value(item, member, source_, pointer, idle_);
    }
    const std::string message = fmt::format("has no effect with the {} '{}', only with {}",
                                            spec_.kind_key == "kind" ? singular() : spec_.kind_key, kind, one_of(owners));
    // No version has taken a stage with the keys of another.
    if (idle_ == nullptr || is_list()) fail_at(source_, pointer, message);
    idle_->push_back(fmt::format("{} {}: {}", source_, pointer, message));
  }

  std::vector<std::string> all_members() const {
    std::vector<std::string> names = names_of(spec_.members);
    for (const KindSpec& kind : spec_.kinds()) {
      for (const AttributeSpec& member : kind.members) names.push_back(member.name);
    }
    return names;
  }

  const Attributes& fallback_members() const {
    static const Attributes none;
    const auto* object = std::get_if<Object>(&spec_.fallback);
    return object == nullptr ? none : object->members();
  }
  bool is_list() const { return std::holds_alternative<std::vector<Object>>(spec_.fallback); }
  // Of "stages" one is a stage.
  std::string singular() const { return is_list() ? spec_.name.substr(0, spec_.name.size() - 1) : spec_.name; }

  const AttributeSpec& spec_;
  const std::string& source_;
  std::string pointer_;
  std::vector<std::string>* idle_;
};

// The default, with the defaults of its members where it is an object.
Attribute complete_fallback(const AttributeSpec& spec) {
  Attributes made = completed({spec}, {}, "", "key");
  return made.at(spec.name);
}

Json json_of(const AttributeSpec& spec, const Attribute& value) {
  if (const auto* object = std::get_if<Object>(&value)) return json_of(spec, object->members());
  return std::visit(
      [&](const auto& held) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::vector<Object>>) {
          Json list = Json::array();
          for (const Object& item : held) list.push_back(json_of(spec, item.members()));
          return list;
        } else if constexpr (std::is_constructible_v<Json, decltype(held)>) {
          return held;
        }
        return nullptr;
      },
      value);
}

}  // namespace

Json json_of(const AttributeSpec& object, const Attributes& members) {
  Json json = Json::object();
  const bool has_kind = object.kinds != nullptr && members.has(object.kind_key);
  if (has_kind) json[object.kind_key] = members.text(object.kind_key);
  for (const AttributeSpec& member : members_of(object, has_kind ? members.text(object.kind_key) : "")) {
    if (members.has(member.name)) json[member.name] = json_of(member, members.at(member.name));
  }
  return json;
}

std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  return value.dump();
}

Attribute read_value(const Json& value, const AttributeSpec& spec, const std::string& source, const std::string& pointer,
                     std::vector<std::string>* idle) {
  return std::visit(
      [&](const auto& fallback) -> Attribute {
        std::decay_t<decltype(fallback)> read{};
        ValueReader(spec, source, pointer, idle).read(value, read);
        return read;
      },
      spec.fallback);
}

Attributes read_object(const Json& value, const std::vector<AttributeSpec>& specs, const std::string& source, const std::string& pointer,
                       std::vector<std::string>* idle) {
  if (!value.is_object()) fail_at(source, pointer, fmt::format("found {}, expected an object", shown(value)));
  Attributes read;
  const std::vector<std::string> names = names_of(specs);
  for (const auto& [key, item] : value.items()) {
    if (pointer.empty() && key == "$schema") continue;
    const std::string at = pointer + "/" + key;
    const auto name = std::find(names.begin(), names.end(), key);
    if (name == names.end()) {
      fail_at(source, at, unknown(key, names, names));
    }
    const AttributeSpec& spec = specs[static_cast<std::size_t>(name - names.begin())];
    if (spec.json_types.empty()) {
      read.set(key, read_value(item, spec, source, at, idle));
    } else {
      ValueReader(spec, source, at, idle).check_type(item);
    }
  }
  for (const AttributeSpec& spec : specs) {
    if (value.contains(spec.name)) continue;
    if (spec.required)
      fail_at(source, pointer, fmt::format("the key '{}' is missing, expected {} ({})", spec.name, type_in_words(spec), spec.doc));
    if (spec.json_types.empty() && !spec.optional) read.set(spec.name, complete_fallback(spec));
  }
  return read;
}

}  // namespace stair::ir
