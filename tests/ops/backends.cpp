#include <doctest/doctest.h>

#include <set>
#include <string>

#include "backends/backend.h"
#include "ir/op.h"
#include "tests/ops/cases.h"
#include "tests/ops/check.h"

namespace stair::tests {

TEST_CASE("every op has a case") {
  std::set<std::string> covered;
  for (const Case& c : cases()) covered.insert(c.op);
  for (const auto& [key, schema] : ir::op_registry().all()) {
    const std::string& name = key;
    CAPTURE(name);
    CHECK(covered.contains(name));
  }
}

// A backend that declines whatever it is asked would agree with the reference in everything.
TEST_CASE("every backend takes a case of every op that it says it runs") {
  for (const backends::Backend* backend : tested_backends()) {
    std::set<std::string> taken;
    for (const Case& c : cases()) {
      if (takes(*backend, c)) taken.insert(c.op);
    }
    const std::string on(backend->name());
    CAPTURE(on);
    for (const auto& [key, schema] : ir::op_registry().all()) {
      const std::string& op = key;
      CAPTURE(op);
      CHECK(taken.contains(op) == backend->supports_op(op).yes);
    }
  }
}

// N-SAME, N-REPEAT
TEST_CASE("every backend that takes a node agrees with the reference, for any number of threads and in place") {
  for (const Case& c : cases()) check_on_all_backends(c);
}

}  // namespace stair::tests
