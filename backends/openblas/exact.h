#pragma once

// Integer sums through float products (N-F32GEMM): every partial sum is an integer of at most 2^24, which float32 holds exactly. Where the
// whole sum may pass that, it is cut along k into runs that can't, and these are added in int32.

#include <cstdint>

#include "ir/type.h"

namespace stair::backends::openblas {

/// max |q - z| over every q of the type.
std::int64_t largest_distance(ir::DType dtype, std::int32_t zero_point);

/// How many neighbours along k may be summed in float: all of them where the rows' own sums of magnitudes prove it, else as many as the
/// largest magnitude allows. w is [rows, k].
std::int64_t exact_run(const std::int8_t* w, std::int64_t rows, std::int64_t k, std::int64_t distance);
/// The same for two operands known by their largest magnitudes alone.
std::int64_t exact_run(std::int64_t k, std::int64_t distance_a, std::int64_t distance_b);

/// y = float(x - offset).
void to_float(const std::int8_t* x, std::int32_t offset, float* y, std::int64_t count);
void to_float(const std::uint8_t* x, std::int32_t offset, float* y, std::int64_t count);
/// y = int(x), or y += int(x).
void store_integers(const float* x, bool add, std::int32_t* y, std::int64_t count);

}  // namespace stair::backends::openblas
