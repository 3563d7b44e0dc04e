#pragma once

// Sums in a fixed number of lanes: element i of a run goes to lane i % 16, whatever the instruction set, and the lanes are added in order
// at the end (N-REPEAT).

#include <cstdint>

namespace stair::backends::openblas {

template <class T>
struct Lanes {
  static constexpr int count = 16;
  T lane[count] = {};

  T total() const {
    T sum = 0;
    for (const T value : lane) sum += value;
    return sum;
  }
};

/// Adds a run of elements.
void add_run(const float* x, std::int64_t count, Lanes<float>& sum);
void add_run(const float* x, std::int64_t count, Lanes<double>& sum);
/// Adds (x - centre)^2.
void add_squares(const float* x, double centre, std::int64_t count, Lanes<double>& sum);
/// Adds dy, and dy * ((x - mean) * inv_std).
void add_products(const float* dy, const float* x, float mean, float inv_std, std::int64_t count, Lanes<double>& sum,
                  Lanes<double>& product);

/// Adds a * b.
void add_products(const float* a, const float* b, std::int64_t count, Lanes<float>& sum);

}  // namespace stair::backends::openblas
