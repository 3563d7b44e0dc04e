#pragma once

#include <cstdint>

#include "backends/min_max.h"
#include "backends/multiversion.h"

namespace stair::backends {

/// Mean of some elements, and the sum of their squared deviations from it.
struct Moments {
  double mean = 0, squares = 0;
};

/// Those of a row in one read: sums of x - c and (x - c)^2, where c is the first element of each part of 1024, which is no further from
/// their mean than 32 standard deviations. Sums are in float over 32 elements, then in double: `squares` is within 2^-12 of itself, and
/// within 2^-18 where that element is no further than 5 standard deviations.
Moments moments_of(const float* x, std::int64_t count);
/// The same, and the extent sees the row (MinMax::see), in one read.
Moments moments_of(const float* x, std::int64_t count, MinMax& extent);

/// `a`, of `count` elements, becomes the moments of these and of `more` others, those of `b` (Chan, Golub and LeVeque 1979, equation 2.1).
STAIR_INLINE void merge(Moments& a, double count, const Moments& b, double more) {
  const double delta = b.mean - a.mean;
  const double share = more / (count + more);
  a.mean += delta * share;
  a.squares += b.squares + delta * delta * (count * share);
}

}  // namespace stair::backends
