#include "backends/openblas/lanes.h"

#include <algorithm>

#include "backends/multiversion.h"

namespace stair::backends::openblas {
namespace {

// Calls body(lane, element) for a run, `lanes` elements at a time.
template <int lanes, class Body>
STAIR_INLINE void for_lanes(std::int64_t count, Body&& body) {
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    STAIR_SIMD
    for (int lane = 0; lane < lanes; ++lane) body(lane, i + lane);
  }
  for (int lane = 0; i + lane < count; ++lane) body(lane, i + lane);
}

// What sums in double begin with: sums in float of at most 32 elements, which stay in registers and cost a third.
struct Short {
  static constexpr int lanes = 2 * Lanes<double>::count;
  float lane[lanes] = {};

  STAIR_INLINE void fold(Lanes<double>& sum) const {
    STAIR_SIMD
    for (int i = 0; i < Lanes<double>::count; ++i) sum.lane[i] += static_cast<double>(lane[i]) + static_cast<double>(lane[i + lanes / 2]);
  }
};
template <class Body>
STAIR_INLINE void for_short_runs(std::int64_t count, Body&& body) {
  constexpr std::int64_t most = 32 * Short::lanes;
  for (std::int64_t first = 0; first < count; first += most) body(first, std::min(most, count - first));
}

}  // namespace

STAIR_MULTIVERSION void add_run(const float* x, std::int64_t count, Lanes<float>& sum) {
  Lanes<float> s = sum;
  for_lanes<Lanes<float>::count>(count, [&](int lane, std::int64_t i) STAIR_INLINE_BODY { s.lane[lane] += x[i]; });
  sum = s;
}

STAIR_MULTIVERSION void add_run(const float* x, std::int64_t count, Lanes<double>& sum) {
  for_short_runs(count, [&](std::int64_t first, std::int64_t some) STAIR_INLINE_BODY {
    Short s;
    for_lanes<Short::lanes>(some, [&](int lane, std::int64_t i) STAIR_INLINE_BODY { s.lane[lane] += x[first + i]; });
    s.fold(sum);
  });
}

STAIR_MULTIVERSION void add_moments(const float* x, float centre, std::int64_t count, Lanes<double>& sum, Lanes<double>& square) {
  for_short_runs(count, [&](std::int64_t first, std::int64_t some) STAIR_INLINE_BODY {
    Short s;
    Short q;
    for_lanes<Short::lanes>(some, [&](int lane, std::int64_t i) STAIR_INLINE_BODY {
      const float d = x[first + i] - centre;
      s.lane[lane] += d;
      q.lane[lane] += d * d;
    });
    s.fold(sum);
    q.fold(square);
  });
}

STAIR_MULTIVERSION void add_products(const float* dy, const float* x, float mean, float inv_std, std::int64_t count, Lanes<double>& sum,
                                     Lanes<double>& product) {
  for_short_runs(count, [&](std::int64_t first, std::int64_t some) STAIR_INLINE_BODY {
    Short s;
    Short p;
    for_lanes<Short::lanes>(some, [&](int lane, std::int64_t i) STAIR_INLINE_BODY {
      s.lane[lane] += dy[first + i];
      p.lane[lane] += dy[first + i] * ((x[first + i] - mean) * inv_std);
    });
    s.fold(sum);
    p.fold(product);
  });
}

STAIR_MULTIVERSION void add_products(const float* a, const float* b, std::int64_t count, Lanes<float>& sum) {
  Lanes<float> s = sum;
  for_lanes<Lanes<float>::count>(count, [&](int lane, std::int64_t i) STAIR_INLINE_BODY { s.lane[lane] += a[i] * b[i]; });
  sum = s;
}

}  // namespace stair::backends::openblas
