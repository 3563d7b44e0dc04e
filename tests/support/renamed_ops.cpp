#include "tests/support/renamed_ops.h"

#include <algorithm>

namespace stair::tests {
namespace {

// The registry's elements are no constants, though it hands them out as such.
ir::OpSchema& schema(const ir::OpSchema& op) {
  return const_cast<ir::OpSchema&>(op);
}

}  // namespace

RenamedOps::RenamedOps(const std::set<std::string, std::less<>>& kept) {
  for (const auto& [name, op] : ir::op_registry().all()) {
    if (kept.contains(name)) continue;
    const std::string renamed = "renamed_" + std::to_string(names_.size()) + "_";
    schema(op).name = renamed;
    names_.emplace(renamed, name);
  }
}

RenamedOps::~RenamedOps() {
  for (const auto& [name, op] : ir::op_registry().all()) schema(op).name = name;
}

std::string RenamedOps::restored(const std::string& text) const {
  std::string made;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = std::min(text.find("renamed_", at), text.size());
    made += text.substr(at, next - at);
    const std::size_t end = next == text.size() ? next : text.find('_', text.find('_', next) + 1) + 1;
    if (next < text.size()) made += names_.at(text.substr(next, end - next));
    at = end;
  }
  return made;
}

}  // namespace stair::tests
