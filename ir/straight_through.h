#pragma once

// Where the straight-through estimator "clipped" lets a gradient pass (docs/numerics.md, N-STE).

#include <cmath>
#include <cstdint>
#include <limits>

#include "ir/numerics.h"

namespace stair::ir {

/// N-STE: the least and the largest quotient x / s of which z + round(x / s) lies in [lo, hi].
template <class Real>
struct Quotients {
  Real least, most;
};
template <class Real>
Quotients<Real> quotients_inside(Range range, std::int32_t zero_point) {
  constexpr Real infinite = std::numeric_limits<Real>::infinity();
  const std::int32_t lo = range.lo - zero_point;
  const std::int32_t hi = range.hi - zero_point;
  // Ties round to the even neighbour: half a step outside belongs to an even bound, and to an odd one no more.
  const Real least = static_cast<Real>(lo) - Real{0.5};
  const Real most = static_cast<Real>(hi) + Real{0.5};
  return {lo % 2 == 0 ? least : std::nextafter(least, infinite), hi % 2 == 0 ? most : std::nextafter(most, -infinite)};
}

}  // namespace stair::ir
