#include "ir/op.h"

#include <doctest/doctest.h>

TEST_CASE("every op states a gradient or why there is none, and an integer form or why there is none") {
  for (const auto& [key, schema] : stair::ir::op_registry().all()) {
    const std::string& name = key;
    CAPTURE(name);
    CHECK((schema.gradient.rule != nullptr) != !schema.gradient.reason.empty());
    CHECK(!schema.integer.note.empty());
    CHECK(!schema.summary.empty());
    CHECK(schema.infer != nullptr);
  }
}
