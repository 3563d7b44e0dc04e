#include "backends/openblas/lanes.h"

#include <algorithm>

#include "backends/multiversion.h"

namespace stair::backends::openblas {
namespace {

// Calls body(lane, element) for a run, 16 elements at a time. The lanes are a local copy, which stays in registers.
template <class Body>
STAIR_INLINE void for_lanes(std::int64_t count, Body&& body) {
  constexpr int lanes = Lanes<float>::count;
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    STAIR_SIMD
    for (int lane = 0; lane < lanes; ++lane) body(lane, i + lane);
  }
  for (int lane = 0; i + lane < count; ++lane) body(lane, i + lane);
}

}  // namespace

STAIR_MULTIVERSION void add_run(const float* x, std::int64_t count, Lanes<float>& sum) {
  Lanes<float> s = sum;
  for_lanes(count, [&](int lane, std::int64_t i) STAIR_INLINE_BODY { s.lane[lane] += x[i]; });
  sum = s;
}

STAIR_MULTIVERSION void add_run(const float* x, std::int64_t count, Lanes<double>& sum) {
  Lanes<double> s = sum;
  for_lanes(count, [&](int lane, std::int64_t i) STAIR_INLINE_BODY { s.lane[lane] += static_cast<double>(x[i]); });
  sum = s;
}

STAIR_MULTIVERSION void add_squares(const float* x, double centre, std::int64_t count, Lanes<double>& sum) {
  Lanes<double> s = sum;
  for_lanes(count, [&](int lane, std::int64_t i) STAIR_INLINE_BODY {
    const double d = static_cast<double>(x[i]) - centre;
    s.lane[lane] += d * d;
  });
  sum = s;
}

STAIR_MULTIVERSION void add_products(const float* dy, const float* x, float mean, float inv_std, std::int64_t count, Lanes<double>& sum,
                                     Lanes<double>& product) {
  Lanes<double> s = sum;
  Lanes<double> p = product;
  for_lanes(count, [&](int lane, std::int64_t i) STAIR_INLINE_BODY {
    const auto gradient = static_cast<double>(dy[i]);
    s.lane[lane] += gradient;
    p.lane[lane] += gradient * static_cast<double>((x[i] - mean) * inv_std);
  });
  sum = s;
  product = p;
}

STAIR_MULTIVERSION void add_products(const float* a, const float* b, std::int64_t count, Lanes<float>& sum) {
  Lanes<float> s = sum;
  for_lanes(count, [&](int lane, std::int64_t i) STAIR_INLINE_BODY { s.lane[lane] += a[i] * b[i]; });
  sum = s;
}

}  // namespace stair::backends::openblas
