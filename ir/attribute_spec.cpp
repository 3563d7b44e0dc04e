#include "ir/attribute_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "ir/error.h"
#include "ir/type.h"

namespace stair::ir {
namespace {

std::string text_of(double number) {
  const bool counts = number == std::floor(number) && std::abs(number) < 1e16;
  return counts ? fmt::format("{:.0f}", number) : fmt::format("{:g}", number);
}

std::string low_in_words(const Bounds& bounds) {
  return (bounds.above_low ? "more than " : "at least ") + text_of(bounds.low);
}
std::string high_in_words(const Bounds& bounds) {
  return (bounds.below_high ? "less than " : "at most ") + text_of(bounds.high);
}

// What is wrong with the value of the attribute, "" if nothing is. Both are of one kind.
std::string fault_of(const AttributeSpec& spec, const Attribute& value) {
  const auto number = [&](double x) { return holds(spec.bounds, x) ? "" : "is " + text_of(x) + ", expected " + to_string(spec.bounds); };
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return holds(spec.bounds, static_cast<double>(*integer)) ? ""
                                                             : "is " + std::to_string(*integer) + ", expected " + to_string(spec.bounds);
  }
  if (const auto* real = std::get_if<double>(&value)) return number(*real);
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
    for (const std::int64_t integer : *integers) {
      if (!holds(spec.bounds, static_cast<double>(integer)))
        return "is " + to_string(*integers) + ", expected each to be " + to_string(spec.bounds);
    }
  }
  if (const auto* reals = std::get_if<std::vector<double>>(&value)) {
    for (const double real : *reals) {
      if (!holds(spec.bounds, real)) return "holds " + text_of(real) + ", expected each to be " + to_string(spec.bounds);
    }
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (!spec.choices.empty() && std::find(spec.choices.begin(), spec.choices.end(), *text) == spec.choices.end()) {
      return "is '" + *text + "'" + did_you_mean(*text, spec.choices) + ", expected " + one_of(spec.choices);
    }
  }
  return "";
}

// The kind of an object, which the given members, or else the fallback, name.
std::string kind_of_object(const AttributeSpec& spec, const Attributes& given, const std::string& named) {
  const std::vector<std::string> kinds = kind_names(spec);
  const auto* object = std::get_if<Object>(&spec.fallback);  // one of a list has none
  const Attributes fallback = object == nullptr ? Attributes() : object->members();
  const std::string& key = spec.kind_key;
  if (!given.has(key) && !fallback.has(key)) throw Error(named + "has no '" + key + "', expected " + one_of(kinds));
  const Attribute& kind = (given.has(key) ? given : fallback).at(key);
  const auto* name = std::get_if<std::string>(&kind);
  if (name == nullptr) throw Error(named + "has " + std::string(kind_of(kind)) + " as its '" + key + "', expected " + one_of(kinds));
  if (std::find(kinds.begin(), kinds.end(), *name) == kinds.end()) {
    throw Error(named + "is of the unknown " + spec.kind_key + " '" + *name + "'" + did_you_mean(*name, kinds) + ", expected " +
                one_of(kinds));
  }
  return *name;
}

Object completed_object(const AttributeSpec& spec, Attributes given, const std::string& named) {
  if (spec.kinds == nullptr) return completed(members_of(spec, ""), std::move(given), named + "has a fault: ", "member");
  const std::string kind = kind_of_object(spec, given, named);
  const std::vector<AttributeSpec> members = members_of(spec, kind);
  given.erase(spec.kind_key);
  for (const auto& [name, value] : given) {
    const std::vector<std::string> known = names_of(members);
    const std::vector<std::string> owners = kinds_with(spec, name);
    if (std::find(known.begin(), known.end(), name) != known.end() || owners.empty()) continue;
    throw Error(named + "is of the " + spec.kind_key + " '" + kind + "', which has no '" + name + "', only " + one_of(owners) + " has");
  }
  Attributes made = completed(members, std::move(given), named + "has a fault: ", "member");
  made.set(spec.kind_key, kind);
  return made;
}

}  // namespace

Bounds at_least(double low) {
  return {.low = low};
}
Bounds above(double low) {
  return {.low = low, .above_low = true};
}
Bounds within(double low, double high) {
  return {.low = low, .high = high};
}
bool holds(const Bounds& bounds, double x) {
  return std::isfinite(x) && (bounds.above_low ? x > bounds.low : x >= bounds.low) &&
         (bounds.below_high ? x < bounds.high : x <= bounds.high);
}

std::string violated(const Bounds& bounds, double x) {
  if (!std::isfinite(x)) return "a finite number";
  const bool low = bounds.above_low ? x <= bounds.low : x < bounds.low;
  return low ? low_in_words(bounds) : high_in_words(bounds);
}

std::string to_string(const Bounds& bounds) {
  const bool has_low = std::isfinite(bounds.low);
  const bool has_high = std::isfinite(bounds.high);
  if (has_low && has_high) return low_in_words(bounds) + " and " + high_in_words(bounds);
  return has_low ? low_in_words(bounds) : has_high ? high_in_words(bounds) : "a finite number";
}

AttributeSpec choice(std::string name, std::string doc, std::vector<std::string> choices) {
  return {.name = std::move(name), .doc = std::move(doc), .fallback = choices.front(), .choices = choices};
}

AttributeSpec read_elsewhere(std::string name, std::string doc, std::vector<std::string> json_types, std::string definition,
                             bool required) {
  return {.name = std::move(name),
          .doc = std::move(doc),
          .required = required,
          .json_types = std::move(json_types),
          .definition = std::move(definition)};
}

std::vector<AttributeSpec> members_of(const AttributeSpec& object, const std::string& kind) {
  std::vector<AttributeSpec> members = object.members;
  for (const KindSpec& known : object.kinds == nullptr ? std::vector<KindSpec>() : object.kinds()) {
    if (known.name == kind) members.insert(members.end(), known.members.begin(), known.members.end());
  }
  const auto* fallback = std::get_if<Object>(&object.fallback);
  if (fallback == nullptr) return members;
  for (AttributeSpec& member : members) {
    if (!fallback->members().has(member.name)) continue;
    member.fallback = fallback->members().at(member.name);
    member.optional = false;
  }
  return members;
}

std::vector<std::string> kinds_with(const AttributeSpec& object, const std::string& member) {
  std::vector<std::string> names;
  for (const KindSpec& kind : object.kinds()) {
    const std::vector<std::string> members = names_of(kind.members);
    if (std::find(members.begin(), members.end(), member) != members.end()) names.push_back(kind.name);
  }
  return names;
}

std::vector<std::string> kind_names(const AttributeSpec& object) {
  std::vector<std::string> names;
  for (const KindSpec& kind : object.kinds()) names.push_back(kind.name);
  return names;
}

std::vector<std::string> names_of(const std::vector<AttributeSpec>& specs) {
  std::vector<std::string> names;
  for (const AttributeSpec& spec : specs) names.push_back(spec.name);
  return names;
}

Attributes completed(const std::vector<AttributeSpec>& specs, Attributes given, const std::string& where, const std::string& noun) {
  Attributes complete;
  for (const AttributeSpec& spec : specs) {
    const std::string named = where + noun + " '" + spec.name + "' ";
    if (!given.has(spec.name)) {
      if (spec.required) throw Error(named + "is missing, expected " + std::string(kind_of(spec.fallback)));
      if (spec.optional) continue;
      const auto* object = std::get_if<Object>(&spec.fallback);
      complete.set(spec.name, object == nullptr ? spec.fallback : Attribute(completed_object(spec, {}, named)));
      continue;
    }
    Attribute value = given.at(spec.name);
    if (const auto* text = std::get_if<std::string>(&value); text != nullptr && spec.kinds != nullptr)
      value = Object({{spec.kind_key, *text}});
    if (std::holds_alternative<double>(spec.fallback) && std::holds_alternative<std::int64_t>(value)) {
      value = static_cast<double>(std::get<std::int64_t>(value));
    }
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value);
        list != nullptr && std::holds_alternative<std::vector<double>>(spec.fallback)) {
      value = std::vector<double>(list->begin(), list->end());
    }
    if (value.index() != spec.fallback.index()) {
      throw Error(named + "is " + std::string(kind_of(value)) + ", expected " + std::string(kind_of(spec.fallback)));
    }
    if (const auto* object = std::get_if<Object>(&value)) value = completed_object(spec, object->members(), named);
    if (auto* objects = std::get_if<std::vector<Object>>(&value)) {
      for (Object& object : *objects) object = completed_object(spec, object.members(), named);
    }
    if (const std::string fault = fault_of(spec, value); !fault.empty()) throw Error(named + fault);
    complete.set(spec.name, std::move(value));
    given.erase(spec.name);
  }
  for (const auto& [name, value] : given) throw Error(where + "unknown " + noun + " '" + name + "'" + did_you_mean(name, names_of(specs)));
  return complete;
}
}  // namespace stair::ir
