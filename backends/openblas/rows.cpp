#include "backends/openblas/rows.h"

namespace stair::backends::openblas {
namespace {

template <class Q>
STAIR_INLINE void quantize_body(const float* x, float scale, Rounder round, std::int32_t zero_point, Q* q, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) q[i] = static_cast<Q>(zero_point + round(x[i] / scale));
}

template <class Q>
STAIR_INLINE void dequantize_body(const Q* q, float scale, std::int32_t zero_point, float* x, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) x[i] = static_cast<float>(q[i] - zero_point) * scale;
}

}  // namespace

STAIR_MULTIVERSION void quantize_row(const float* x, float scale, Rounder round, std::int32_t zero_point, std::int8_t* q,
                                     std::int64_t count) {
  quantize_body(x, scale, round, zero_point, q, count);
}
STAIR_MULTIVERSION void quantize_row(const float* x, float scale, Rounder round, std::int32_t zero_point, std::uint8_t* q,
                                     std::int64_t count) {
  quantize_body(x, scale, round, zero_point, q, count);
}
STAIR_MULTIVERSION void dequantize_row(const std::int8_t* q, float scale, std::int32_t zero_point, float* x, std::int64_t count) {
  dequantize_body(q, scale, zero_point, x, count);
}
STAIR_MULTIVERSION void dequantize_row(const std::uint8_t* q, float scale, std::int32_t zero_point, float* x, std::int64_t count) {
  dequantize_body(q, scale, zero_point, x, count);
}

}  // namespace stair::backends::openblas
