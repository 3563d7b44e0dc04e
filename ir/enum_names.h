#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/error.h"

namespace stair::ir {

/// The names that files and messages have for the values of an enum, as a table of pairs.
template <class Table, class Enum>
std::string_view name_in(const Table& table, Enum value) {
  for (const auto& [known, name] : table) {
    if (known == value) return name;
  }
  throw InternalError("a value of an enum that has no name");
}

/// Error "unknown WHAT 'NAME' (did you mean …), expected …".
template <class Table>
auto named_in(const Table& table, std::string_view name, const std::string& what) {
  std::vector<std::string> names;
  for (const auto& [value, known] : table) {
    if (known == name) return value;
    names.emplace_back(known);
  }
  throw Error("unknown " + what + " '" + std::string(name) + "'" + did_you_mean(name, names) + ", expected " + one_of(names));
}

}  // namespace stair::ir
