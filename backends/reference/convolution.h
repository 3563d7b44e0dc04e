#pragma once

#include "backends/window.h"

namespace stair::backends::reference {

/// y[n,o] = sum over c, kh, kw (in this order) of (x - offset) * w. Padding adds nothing.
void convolve(const Window& window, const float* x, float offset, const float* w, float* y, int threads);
void convolve(const Window& window, const double* x, double offset, const double* w, double* y, int threads);
void convolve(const Window& window, const std::uint8_t* x, std::int32_t offset, const std::int8_t* w, std::int32_t* y, int threads);
void convolve(const Window& window, const std::int8_t* x, std::int32_t offset, const std::int8_t* w, std::int32_t* y, int threads);

}  // namespace stair::backends::reference
