#pragma once

#include <vector>

#include "tests/ops/cases.h"

namespace stair::tests {

/// Result 0 of a convolution, product or pool (floats or integers) straight from its definition: one sum an output element, in double
/// precision, which is exact for the integers. Shares no code with the kernels.
std::vector<double> by_definition(const Case& c, const runtime::Tensors& operands);

}  // namespace stair::tests
