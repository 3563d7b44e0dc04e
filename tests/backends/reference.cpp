#include <doctest/doctest.h>

#include "backends/backend.h"
#include "ir/op.h"

TEST_CASE("the reference runs every op") {
  const stair::backends::Backend& reference = stair::backends::named("reference");
  for (const auto& entry : stair::ir::op_registry().all()) {
    const std::string& name = entry.first;
    CAPTURE(name);
    CHECK(reference.supports_op(name).yes);
  }
}
