#include "ir/attributes.h"

#include <array>

#include "ir/error.h"

namespace stair::ir {

std::string_view kind_of(const Attribute& attribute) {
  constexpr std::array<std::string_view, std::variant_size_v<Attribute>> names{"a boolean", "an integer",         "a number",
                                                                               "a text",    "a list of integers", "a list of numbers",
                                                                               "an object", "a list of texts",    "a list of objects"};
  return names.at(attribute.index());
}

const Attribute& Attributes::at(std::string_view name) const {
  const auto it = items_.find(name);
  if (it == items_.end()) throw InternalError("no attribute '" + std::string(name) + "'");
  return it->second;
}

void Attributes::erase(std::string_view name) {
  if (const auto it = items_.find(name); it != items_.end()) items_.erase(it);
}

void Attributes::is_of_another_kind(std::string_view name) const {
  throw InternalError("attribute '" + std::string(name) + "' is " + std::string(kind_of(at(name))));
}

Object::Object() : members_(std::make_shared<const Attributes>()) {}
Object::Object(Attributes members) : members_(std::make_shared<const Attributes>(std::move(members))) {}
bool Object::operator==(const Object& other) const {
  return *members_ == *other.members_;
}

}  // namespace stair::ir
