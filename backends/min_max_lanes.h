#pragma once

// The least and the largest of a row in lanes, for multiversioned functions.

#include "backends/min_max.h"
#include "backends/vectors.h"

namespace stair::backends {

/// Both halves of a vector.
template <class Whole, class Half>
STAIR_INLINE void halve(const Whole& whole, Half& first, Half& second) {
  static_assert(sizeof whole == 2 * sizeof first);
  __builtin_memcpy(&first, &whole, sizeof first);
  __builtin_memcpy(&second, reinterpret_cast<const char*>(&whole) + sizeof first, sizeof second);
}

/// Those of 32 elements at a time.
class MinMaxLanes {
 public:
  STAIR_INLINE explicit MinMaxLanes(const MinMax& extent) {
    for (int side = 0; side < 2; ++side) {
      low_[side] = Floats{} + extent.low;
      high_[side] = Floats{} + extent.high;
    }
  }

  STAIR_INLINE void see(const Floats& a, const Floats& b) {
    low_[0] = a < low_[0] ? a : low_[0];
    low_[1] = b < low_[1] ? b : low_[1];
    high_[0] = a > high_[0] ? a : high_[0];
    high_[1] = b > high_[1] ? b : high_[1];
  }

  STAIR_INLINE void add_to(MinMax& extent) const {
    const Floats low = low_[1] < low_[0] ? low_[1] : low_[0];
    const Floats high = high_[1] > high_[0] ? high_[1] : high_[0];
    Eight eight[4];
    halve(low, eight[0], eight[1]);
    halve(high, eight[2], eight[3]);
    Four four[4];
    halve(eight[1] < eight[0] ? eight[1] : eight[0], four[0], four[1]);
    halve(eight[3] > eight[2] ? eight[3] : eight[2], four[2], four[3]);
    const Four least = four[1] < four[0] ? four[1] : four[0];
    const Four most = four[3] > four[2] ? four[3] : four[2];
    const float lows[] = {least[2] < least[0] ? least[2] : least[0], least[3] < least[1] ? least[3] : least[1]};
    const float highs[] = {most[2] > most[0] ? most[2] : most[0], most[3] > most[1] ? most[3] : most[1]};
    extent.see(lows[1] < lows[0] ? lows[1] : lows[0], highs[1] > highs[0] ? highs[1] : highs[0]);
  }

 private:
  using Eight __attribute__((vector_size(32))) = float;
  using Four __attribute__((vector_size(16))) = float;
  Floats low_[2], high_[2];
};

}  // namespace stair::backends
