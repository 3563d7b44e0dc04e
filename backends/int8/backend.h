#pragma once

#include <vector>

#include "backends/backend.h"

namespace stair::backends::int8 {

/// "int8": integer SIMD kernels of the chosen variant (isa.h).
const Backend& backend();
/// "int8:NAME" for each variant that this machine has, best first: what tests and `stair verify` compare.
std::vector<const Backend*> variants();

}  // namespace stair::backends::int8
