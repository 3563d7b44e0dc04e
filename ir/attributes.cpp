#include "ir/attributes.h"

#include <array>

#include "ir/error.h"

namespace stair::ir {
namespace {

template <class T>
const T& get(const Attributes& attributes, std::string_view name) {
  const Attribute& attribute = attributes.at(name);
  if (const T* value = std::get_if<T>(&attribute)) return *value;
  throw InternalError("attribute '" + std::string(name) + "' is " + std::string(kind_of(attribute)));
}

}  // namespace

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

bool Attributes::boolean(std::string_view name) const {
  return get<bool>(*this, name);
}
std::int64_t Attributes::integer(std::string_view name) const {
  return get<std::int64_t>(*this, name);
}
double Attributes::number(std::string_view name) const {
  return get<double>(*this, name);
}
const std::string& Attributes::text(std::string_view name) const {
  return get<std::string>(*this, name);
}
const std::vector<std::int64_t>& Attributes::integers(std::string_view name) const {
  return get<std::vector<std::int64_t>>(*this, name);
}
const std::vector<double>& Attributes::numbers(std::string_view name) const {
  return get<std::vector<double>>(*this, name);
}
const Attributes& Attributes::object(std::string_view name) const {
  return get<Object>(*this, name).members();
}
const std::vector<std::string>& Attributes::texts(std::string_view name) const {
  return get<std::vector<std::string>>(*this, name);
}
const std::vector<Object>& Attributes::objects(std::string_view name) const {
  return get<std::vector<Object>>(*this, name);
}

Object::Object() : members_(std::make_shared<const Attributes>()) {}
Object::Object(Attributes members) : members_(std::make_shared<const Attributes>(std::move(members))) {}
bool Object::operator==(const Object& other) const {
  return *members_ == *other.members_;
}

}  // namespace stair::ir
