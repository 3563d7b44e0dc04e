#include "backends/openblas/direct/finish.h"

#include <algorithm>

#include "backends/multiversion.h"

namespace stair::backends::openblas::direct {

namespace {

constexpr std::int64_t cached = 1024;  // that stay in the first-level cache from one loop to the next

STAIR_MULTIVERSION void finish_some(const Finish& f, std::int64_t channel, const float* other, float* y, std::int64_t count) {
  const bool biased = f.bias != nullptr;
  const bool normalizes = f.factor != nullptr;
  const float bias = biased ? f.bias[channel] : 0.0F;
  const float mean = normalizes ? f.mean[channel] : 0.0F;
  const float factor = normalizes ? f.factor[channel] : 1.0F;
  const float beta = normalizes ? f.beta[channel] : 0.0F;
  if (biased) {
    STAIR_SIMD
    for (std::int64_t i = 0; i < count; ++i) y[i] += bias;
  }
  if (normalizes) {
    STAIR_SIMD
    for (std::int64_t i = 0; i < count; ++i) y[i] = (y[i] - mean) * factor + beta;
  }
  if (other != nullptr) {
    STAIR_SIMD
    for (std::int64_t i = 0; i < count; ++i) y[i] += other[i];
  }
  if (f.clamps) {
    STAIR_SIMD
    for (std::int64_t i = 0; i < count; ++i) {
      const float raised = y[i] > f.low ? y[i] : f.low;
      y[i] = raised < f.high ? raised : f.high;
    }
  }
}

}  // namespace

void finish_row(const Finish& f, std::int64_t channel, const float* other, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += cached) {
    finish_some(f, channel, other == nullptr ? nullptr : other + i, y + i, std::min(cached, count - i));
  }
}

}  // namespace stair::backends::openblas::direct
