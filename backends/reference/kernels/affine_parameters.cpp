#include <algorithm>
#include <cmath>

#include "backends/reference/kernel.h"
#include "ir/numerics.h"

namespace stair::backends::reference {
namespace {

// N-PARAM: positive and finite, whatever the range; N-REQ-POW2: rounded up to a power of two.
template <class Real>
Real usable_scale(Real scale, bool power_of_two) {
  if (!(scale >= std::numeric_limits<Real>::min())) return 1;
  if (!(scale <= std::numeric_limits<Real>::max())) scale = std::numeric_limits<Real>::max() / 2;
  if (!power_of_two) return scale;
  int exponent = 0;
  const Real fraction = std::frexp(scale, &exponent);  // scale = fraction * 2^exponent, fraction in [0.5, 1)
  return std::ldexp(Real{1}, fraction == Real{0.5} ? exponent - 1 : exponent);
}

void run_affine_parameters(const ir::Node& node, const Arguments& a) {
  const auto lo = static_cast<std::int32_t>(node.attributes.integer("lo"));
  const auto hi = static_cast<std::int32_t>(node.attributes.integer("hi"));
  const bool symmetric = node.attributes.boolean("symmetric");
  const bool power_of_two = node.attributes.boolean("power_of_two");
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) {
      const Real low = std::min(a.operands[0].as<Real>()[i], Real{0});
      const Real high = std::max(a.operands[1].as<Real>()[i], Real{0});
      const Real raw = symmetric ? std::max(-low, high) / static_cast<Real>(hi) : (high - low) / static_cast<Real>(hi - lo);
      const Real scale = usable_scale(raw, power_of_two);
      a.results[0].as<Real>()[i] = scale;
      // Nudged to an integer, so that 0 is represented exactly (Jacob 2017, section 3).
      const Real zero = symmetric ? Real{0} : ir::round_even(static_cast<Real>(lo) - low / scale);
      *a.results[1].as<std::int32_t>() =
          static_cast<std::int32_t>(ir::clamp_nan_low(zero, symmetric ? Real{0} : static_cast<Real>(lo), static_cast<Real>(hi)));
    }
  });
}

}  // namespace

void affine_parameters(FunctionKernels& kernels) {
  kernels.add("affine_parameters", {run_affine_parameters});
}

}  // namespace stair::backends::reference
