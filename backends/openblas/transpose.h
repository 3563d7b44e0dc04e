#pragma once

#include <cstdint>

namespace stair::backends::openblas {

/// to[columns, rows] = from[rows, columns]
void transpose(const float* from, std::int64_t from_step, std::int64_t rows, std::int64_t columns, float* to, std::int64_t to_step);

}  // namespace stair::backends::openblas
