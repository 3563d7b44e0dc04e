#pragma once

#include <limits>
#include <string>
#include <vector>

#include "ir/attributes.h"

namespace stair::ir {

/// What a number, an integer or each element of a list may be. It is finite in any case.
struct Bounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool above_low = false;   ///< low itself is excluded
  bool below_high = false;  ///< high itself is excluded
};
Bounds at_least(double low);
Bounds above(double low);
Bounds within(double low, double high);
bool holds(const Bounds& bounds, double x);
/// Of the two bounds the one that x violates: "at least 1".
std::string violated(const Bounds& bounds, double x);
/// "a finite number", "at least 1", "more than 0 and less than 1".
std::string to_string(const Bounds& bounds);

struct KindSpec;

/// What is known of one attribute, of a node, an option of a pass or a key of the JSON that users write: readers, error messages, JSON
/// Schemas and the tables of the documentation follow from it.
struct AttributeSpec {
  std::string name;
  std::string doc;
  Attribute fallback =
      {};  ///< the default; where `required` or `optional` only its type counts. Of an object: the members that differ from their defaults
  bool required = false;
  Bounds bounds = {};
  std::vector<std::string> choices = {};    ///< that a text is one of; none: any text
  std::vector<AttributeSpec> members = {};  ///< of an object, or of each in a list
  /// Of JSON that another reader takes: the types that it may have, as JSON Schema names them, and its definition in the schema. Nothing is
  /// read into the attribute.
  std::vector<std::string> json_types = {};
  std::string definition = {};
  /// Of an object that comes in kinds: those that its member `kind_key` may name. Their members join `members`.
  std::vector<KindSpec> (*kinds)() = nullptr;
  std::string kind_key = "kind";
  bool name_stands = false;  ///< in JSON, the name of a kind stands for an object of it that has nothing but defaults
  bool optional = false;     ///< absent where nothing is said
};

/// A text that is one of the choices; the first is the default.
AttributeSpec choice(std::string name, std::string doc, std::vector<std::string> choices);
/// JSON that another reader takes (`json_types`, `definition`).
AttributeSpec read_elsewhere(std::string name, std::string doc, std::vector<std::string> json_types, std::string definition,
                             bool required = false);

/// One of the kinds of an object.
struct KindSpec {
  std::string name;
  std::string doc;
  std::vector<AttributeSpec> members;
};

/// The kinds of a registry, which have a summary and attributes each.
template <class Registry>
std::vector<KindSpec> kinds_of(const Registry& registry) {
  std::vector<KindSpec> specs;
  for (const auto& [name, kind] : registry.all()) specs.push_back({name, kind.summary, kind.attributes});
  return specs;
}

/// The members that an object of the kind has ("" where it comes in none), their defaults being what the object's default says of
/// them; and the kinds that have a member, by name.
std::vector<AttributeSpec> members_of(const AttributeSpec& object, const std::string& kind);
std::vector<std::string> kinds_with(const AttributeSpec& object, const std::string& member);
std::vector<std::string> kind_names(const AttributeSpec& object);
std::vector<std::string> names_of(const std::vector<AttributeSpec>& specs);

/// A setting that a user wrote and that has no effect beside the others: its key, and why. No key: there is none.
struct IdleSetting {
  std::string key = {};
  std::string reason = {};
};

/// The given attributes with the defaults of the others, and so within objects, for which a text stands for their kind. Throws Error
/// "WHERENOUN 'NAME' …" for one that is missing, unknown, of another type or out of its bounds; `noun` is what messages call an attribute.
Attributes completed(const std::vector<AttributeSpec>& specs, Attributes given, const std::string& where, const std::string& noun);

}  // namespace stair::ir
