#pragma once

#include <map>
#include <set>
#include <string>

#include "ir/op.h"

namespace stair::tests {

/// While it lives, the ops of the registry have other names, but for those that are kept; they are found by those that they had.
class RenamedOps {
 public:
  explicit RenamedOps(const std::set<std::string, std::less<>>& kept = {});
  ~RenamedOps();
  RenamedOps(const RenamedOps&) = delete;
  RenamedOps& operator=(const RenamedOps&) = delete;

  /// The text with the names that the ops had.
  std::string restored(const std::string& text) const;

 private:
  std::map<std::string, std::string> names_;  // by those that the ops have now
};

}  // namespace stair::tests
