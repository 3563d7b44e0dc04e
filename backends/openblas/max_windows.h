#pragma once

#include <cstdint>

#include "backends/window.h"

namespace stair::backends::openblas {

/// The largest value of each window of a plane, and its position in the window, row-major: the first of equals, a NaN only from the first
/// place; padding never wins. Windows of any size, stride and padding.
void max_windows(const Window& window, const float* x, float* y, std::uint8_t* index);

}  // namespace stair::backends::openblas
