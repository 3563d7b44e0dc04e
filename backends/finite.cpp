#include "backends/finite.h"

#include <bit>

#include "backends/multiversion.h"

namespace stair::backends {
namespace {

// The highest bit of the result tells. Of all magnitudes those of NaN and of infinity alone, 0x7f800000 and more, carry into it.
STAIR_MULTIVERSION std::uint32_t marked(const float* x, std::int64_t count) {
  std::uint32_t bits = 0;
#pragma omp simd reduction(| : bits)
  for (std::int64_t i = 0; i < count; ++i) bits |= (std::bit_cast<std::uint32_t>(x[i]) & 0x7fffffffU) + 0x00800000U;
  return bits;
}

}  // namespace

bool all_finite(const float* x, std::int64_t count) {
  return marked(x, count) >> 31U == 0;
}

}  // namespace stair::backends
