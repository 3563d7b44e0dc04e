#pragma once

// A bit for each element of a tensor: element i's is bit i % 8 of byte i / 8.

#include <cstdint>

#include "ir/graph.h"

namespace stair::backends {

/// Where low <= x <= high.
struct Interval {
  float low, high;
};
/// The x for which least <= x / scale <= most, the quotient rounded; scale > 0. Since rounding keeps order, they are an interval, and no
/// element needs a division.
Interval quotients_between(float least, float most, float scale);

/// What range_mask marks with one scale for all elements.
Interval marked_by(const ir::Node& range_mask, float scale, std::int32_t zero_point);

/// Sets the bits of `count` elements, which begin with a byte; what is left of the last byte is 0.
void set_bits(const float* x, Interval interval, std::uint8_t* mask, std::int64_t count);
/// dx[i] = dy[i] where the bit of element first + i is set, else 0. dx may be dy.
void keep_marked(const float* dy, const std::uint8_t* mask, std::int64_t first, float* dx, std::int64_t count);

}  // namespace stair::backends
