#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/attributes.h"
#include "ir/error.h"

namespace stair::ir {

/// All of one sort of thing that comes in kinds (ops, passes, optimizers, losses, …) by name. A kind is a value with a `name`; a folder
/// holds one file a kind, NAME.cpp, which defines `void NAME(Registry&)`. CMake lists the folder and makes the function that yields its
/// registry, which the kind's header declares (cmake/registration.cmake).
template <class Kind>
class Registry {
 public:
  /// InternalError if two files add one name.
  void add(Kind kind) {
    std::string name = kind.name;
    if (!kinds_.emplace(name, std::move(kind)).second) throw InternalError("two files add '" + name + "'");
  }
  /// nullptr for none.
  const Kind* find(std::string_view name) const {
    const auto it = kinds_.find(name);
    return it == kinds_.end() ? nullptr : &it->second;
  }
  /// Error "unknown WHAT 'NAME' (did you mean …), expected …".
  const Kind& named(std::string_view name, const std::string& what) const {
    if (const Kind* found = find(name)) return *found;
    throw Error("unknown " + what + " '" + std::string(name) + "'" + did_you_mean(std::string(name), names()) + ", expected " +
                one_of(names()));
  }
  const std::map<std::string, Kind, std::less<>>& all() const { return kinds_; }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, kind] : kinds_) names.push_back(name);
    return names;
  }

 private:
  std::map<std::string, Kind, std::less<>> kinds_;
};

}  // namespace stair::ir
