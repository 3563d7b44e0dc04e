#pragma once

// Quantizing and dequantizing a row of elements with one scale.

#include "backends/openblas/rounding.h"

namespace stair::backends::openblas {

/// N-QUANT
void quantize_row(const float* x, float scale, Rounder round, std::int32_t zero_point, std::int8_t* q, std::int64_t count);
void quantize_row(const float* x, float scale, Rounder round, std::int32_t zero_point, std::uint8_t* q, std::int64_t count);
/// N-DEQUANT
void dequantize_row(const std::int8_t* q, float scale, std::int32_t zero_point, float* x, std::int64_t count);
void dequantize_row(const std::uint8_t* q, float scale, std::int32_t zero_point, float* x, std::int64_t count);

}  // namespace stair::backends::openblas
