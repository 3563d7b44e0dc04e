#include "backends/openblas/exact.h"

#include <algorithm>
#include <cstdlib>

#include "backends/multiversion.h"

namespace stair::backends::openblas {
namespace {

constexpr std::int64_t float_integers = std::int64_t{1} << 24;

STAIR_MULTIVERSION std::int32_t sum_of_magnitudes(const std::int8_t* w, std::int64_t count) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += w[i] < 0 ? -w[i] : w[i];
  return sum;
}

template <class Q>
STAIR_INLINE void to_float_body(const Q* x, std::int32_t offset, float* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<float>(x[i] - offset);
}

}  // namespace

std::int64_t largest_distance(ir::DType dtype, std::int32_t zero_point) {
  const std::int64_t z = zero_point;
  return dtype == ir::DType::u8 ? std::max(std::abs(z), std::abs(255 - z)) : std::max(std::abs(-128 - z), std::abs(127 - z));
}

std::int64_t exact_run(const std::int8_t* w, std::int64_t rows, std::int64_t k, std::int64_t distance) {
  std::int64_t largest = 0;
  for (std::int64_t row = 0; row < rows; ++row) largest = std::max<std::int64_t>(largest, sum_of_magnitudes(w + row * k, k));
  return largest * distance <= float_integers ? k : exact_run(k, 128, distance);
}

std::int64_t exact_run(std::int64_t k, std::int64_t distance_a, std::int64_t distance_b) {
  return std::min(k, float_integers / std::max<std::int64_t>(1, distance_a * distance_b));
}

STAIR_MULTIVERSION void to_float(const std::int8_t* x, std::int32_t offset, float* y, std::int64_t count) {
  to_float_body(x, offset, y, count);
}
STAIR_MULTIVERSION void to_float(const std::uint8_t* x, std::int32_t offset, float* y, std::int64_t count) {
  to_float_body(x, offset, y, count);
}

STAIR_MULTIVERSION void store_integers(const float* x, bool add, std::int32_t* y, std::int64_t count) {
  if (add) {
    STAIR_SIMD
    for (std::int64_t i = 0; i < count; ++i) y[i] += static_cast<std::int32_t>(x[i]);
  } else {
    STAIR_SIMD
    for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<std::int32_t>(x[i]);
  }
}

}  // namespace stair::backends::openblas
