#pragma once

#include <cstdint>
#include <vector>

#include "ir/random.h"

namespace stair::tests {

/// Random sizes and operands, the same for the same seed.
class RandomNumbers {
 public:
  explicit RandomNumbers(std::uint64_t seed) : seed_(seed) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(ir::random_bits(seed_, 0, 0, index_++) % static_cast<std::uint64_t>(high - low + 1));
  }
  /// In [-1, 1].
  std::vector<float> floats(std::int64_t count) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>(between(-1000, 1000)) / 1000.0F);
    return values;
  }

 private:
  std::uint64_t seed_, index_ = 0;
};

}  // namespace stair::tests
