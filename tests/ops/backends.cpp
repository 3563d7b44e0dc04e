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

// N-SAME, N-REPEAT
TEST_CASE("every backend that takes a node agrees with the reference, for any number of threads and in place") {
  for (const Case& c : cases()) check_on_all_backends(c);
}

}  // namespace stair::tests
