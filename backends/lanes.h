#pragma once

// Sums in a fixed number of lanes: element i of a run goes to lane i % 16, whatever the instruction set, and at the end the upper half of
// the lanes is added to the lower one, until one is left (N-REPEAT). Sums in double are of sums in float of at most 32 elements, whose
// error is 2^-19 of the largest of them or less: converting each element would take longer than reading it from memory.

#include <cstdint>

namespace stair::backends {

template <class T>
struct Lanes {
  static constexpr int count = 16;
  T lane[count] = {};

  T total() const {
    Lanes sum = *this;
    for (int half = count / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) sum.lane[i] += sum.lane[i + half];
    }
    return sum.lane[0];
  }
};

/// Adds a run of elements.
void add_run(const float* x, std::int64_t count, Lanes<float>& sum);
/// Adds dy, and dy * ((x - mean) * inv_std). `mask`: the bits of the elements whose dy counts, of the others it is 0; nullptr: all. What
/// lies `next` elements behind dy and x is fetched: too far off for the processor to ask by itself. Nothing need lie there.
void add_products(const float* dy, const std::uint8_t* mask, const float* x, float mean, float inv_std, std::int64_t count,
                  std::int64_t next, Lanes<double>& sum, Lanes<double>& product);

/// Adds a * b.
void add_products(const float* a, const float* b, std::int64_t count, Lanes<float>& sum);

}  // namespace stair::backends
