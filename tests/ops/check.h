#pragma once

#include <vector>

#include "backends/backend.h"
#include "backends/plugin.h"
#include "tests/ops/cases.h"

namespace stair::tests {

/// The backends of the suite: all, or the plug-in alone where one is under test (STAIR_TEST_PLUGIN), the others having a run of their own.
inline std::vector<const backends::Backend*> tested_backends() {
  return backends::plugins().empty() ? backends::every() : backends::plugins();
}

/// Runs the case on every backend that takes it, with 1, 2 and 3 threads and, where the op may, over its operand's memory. Integers must
/// be those of the reference, floats the same for any number of threads and near the reference's in double precision (the very same where
/// the op only moves data).
void check_on_all_backends(const Case& c);

/// Whether the backend takes the case.
bool takes(const backends::Backend& backend, const Case& c);

/// The floats are near: within 1e-4 of the largest magnitude, and finite where expected.
bool near(const std::vector<double>& found, const std::vector<double>& expected);

}  // namespace stair::tests
