#pragma once

#include <cstdint>

namespace stair::backends {

/// Whether none of the elements is NaN or infinite (N-FINITE).
bool all_finite(const float* x, std::int64_t count);

}  // namespace stair::backends
