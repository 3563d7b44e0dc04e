#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace stair::ir {

class Attributes;

/// The value of an attribute that has members of its own: options of a pass that come in kinds. Copies share them.
class Object {
 public:
  Object();
  Object(Attributes members);  // NOLINT(google-explicit-constructor): a value like the others
  const Attributes& members() const { return *members_; }
  bool operator==(const Object& other) const;

 private:
  std::shared_ptr<const Attributes> members_;
};

/// One attribute of a node or a pass. Numbers with a point are double; lists are of one type.
using Attribute = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>, Object,
                               std::vector<std::string>, std::vector<Object>>;

/// "an integer", "a number", "a list of integers", …
std::string_view kind_of(const Attribute& attribute);

/// The attributes of a node by name, in the order of their names. The typed getters throw InternalError where the attribute is absent or
/// of another kind: schemas are checked when a node is made, so that a kernel or a rule may rely on them.
class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<std::pair<const std::string, Attribute>> items) : items_(items) {}

  bool has(std::string_view name) const { return items_.find(name) != items_.end(); }
  const Attribute& at(std::string_view name) const;
  void set(std::string name, Attribute value) { items_.insert_or_assign(std::move(name), std::move(value)); }
  void erase(std::string_view name);

  bool boolean(std::string_view name) const { return get<bool>(name); }
  std::int64_t integer(std::string_view name) const { return get<std::int64_t>(name); }
  double number(std::string_view name) const { return get<double>(name); }
  const std::string& text(std::string_view name) const { return get<std::string>(name); }
  const std::vector<std::int64_t>& integers(std::string_view name) const { return get<std::vector<std::int64_t>>(name); }
  const std::vector<double>& numbers(std::string_view name) const { return get<std::vector<double>>(name); }
  const Attributes& object(std::string_view name) const { return get<Object>(name).members(); }
  const std::vector<std::string>& texts(std::string_view name) const { return get<std::vector<std::string>>(name); }
  const std::vector<Object>& objects(std::string_view name) const { return get<std::vector<Object>>(name); }

  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  bool empty() const { return items_.empty(); }
  bool operator==(const Attributes&) const = default;

 private:
  template <class T>
  const T& get(std::string_view name) const {
    if (const T* value = std::get_if<T>(&at(name))) return *value;
    is_of_another_kind(name);
  }
  [[noreturn]] void is_of_another_kind(std::string_view name) const;

  std::map<std::string, Attribute, std::less<>> items_;
};

}  // namespace stair::ir
