#pragma once

#include <cstdint>

namespace stair::ir {

/// Counter-based random numbers: a pure function of (seed, stream, counter, index), so that neither threads nor the order of evaluation
/// matter. The mixing function is SplitMix64's finalizer (Steele, Lea, Flood 2014), applied to each word in turn.
class RandomNumbers {
 public:
  RandomNumbers(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter)
      : key_(mix(mix(mix(seed + gamma) ^ (stream + gamma * 2)) ^ (counter + gamma * 3))) {}

  std::uint64_t bits(std::uint64_t index) const { return mix(key_ ^ (index + gamma * 4)); }
  /// Uniform in [0, 1), 24 bits.
  float uniform(std::uint64_t index) const { return static_cast<float>(static_cast<std::int32_t>(bits(index) >> 40)) * 0x1p-24F; }

 private:
  static constexpr std::uint64_t gamma = 0x9e3779b97f4a7c15ULL;
  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  std::uint64_t key_;
};

inline std::uint64_t random_bits(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter, std::uint64_t index) {
  return RandomNumbers(seed, stream, counter).bits(index);
}
inline float random_uniform(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter, std::uint64_t index) {
  return RandomNumbers(seed, stream, counter).uniform(index);
}

}  // namespace stair::ir
