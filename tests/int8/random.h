#pragma once

#include <cstdint>
#include <initializer_list>
#include <random>
#include <vector>

namespace stair::tests {

/// Random numbers of one test case; a failing case prints its seed, and the seed alone makes the case again.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::int64_t operator()(std::int64_t lo, std::int64_t hi) { return std::uniform_int_distribution<std::int64_t>(lo, hi)(engine_); }
  float real(float lo, float hi) { return std::uniform_real_distribution<float>(lo, hi)(engine_); }
  bool coin() { return (*this)(0, 1) == 1; }
  template <class T>
  T pick(std::initializer_list<T> choices) {
    return choices.begin()[(*this)(0, static_cast<std::int64_t>(choices.size()) - 1)];
  }
  template <class T>
  std::vector<T> integers(std::int64_t count, std::int64_t lo, std::int64_t hi) {
    std::vector<T> all(static_cast<std::size_t>(count));
    for (T& x : all) x = static_cast<T>((*this)(lo, hi));
    return all;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace stair::tests
