#pragma once

#include <string>

namespace stair::passes {

/// A setting that a user wrote and that has no effect beside the others: its key, and why. No key: there is none.
struct IdleSetting {
  std::string key = {};
  std::string reason = {};
};

}  // namespace stair::passes
