#include "backends/finite.h"

#include <bit>

#include "backends/multiversion.h"

namespace stair::backends {
namespace {

// x - x is 0, or NaN of what isn't finite: 0 where all are.
STAIR_MULTIVERSION std::uint32_t marked(const float* x, std::int64_t count) {
  std::uint32_t bits = 0;
#if !defined(STAIR_SANITIZED)
#pragma omp simd reduction(| : bits)
#endif
  for (std::int64_t i = 0; i < count; ++i) bits |= std::bit_cast<std::uint32_t>(x[i] - x[i]);
  return bits;
}

}  // namespace

bool all_finite(const float* x, std::int64_t count) {
  return marked(x, count) == 0;
}

}  // namespace stair::backends
