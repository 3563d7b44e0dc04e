#pragma once

// Ternary weights (docs/numerics.md, N-TERNARY; Li, Zhang, Liu 2016, Ternary Weight Networks).

#include <cmath>
#include <cstdint>

namespace stair::ir {

/// What weights that share a scale become: +1 above the threshold, -1 below its negative, else 0, times the scale.
template <class Real>
struct Ternary {
  Real threshold, scale;

  std::int8_t operator()(Real w) const { return static_cast<std::int8_t>(w > threshold ? 1 : w < -threshold ? -1 : 0); }
};

/// Equations 5 and 6: the threshold is 0.7 times the mean magnitude, the scale the mean magnitude of the weights beyond it; 1 where there
/// are none. Sums are in double, in order.
template <class Real>
Ternary<Real> ternary_of(const Real* w, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += std::abs(static_cast<double>(w[i]));
  const auto threshold = static_cast<Real>(0.7 * sum / static_cast<double>(count));
  double beyond = 0;
  std::int64_t number = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (!(std::abs(w[i]) > threshold)) continue;
    beyond += std::abs(static_cast<double>(w[i]));
    ++number;
  }
  const auto scale = static_cast<Real>(beyond / static_cast<double>(number > 0 ? number : 1));
  return {threshold, scale > 0 ? scale : Real{1}};
}

}  // namespace stair::ir
