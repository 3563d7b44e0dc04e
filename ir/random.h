#pragma once

#include <cstdint>

namespace stair::ir {

/// Counter-based random numbers: a pure function of (seed, stream, counter, index), so that neither threads nor the order of evaluation
/// matter. The mixing function is SplitMix64's finalizer (Steele, Lea, Flood 2014), applied to each word in turn.
inline std::uint64_t random_bits(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter, std::uint64_t index) {
  const auto mix = [](std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  };
  constexpr std::uint64_t gamma = 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = mix(seed + gamma);
  z = mix(z ^ (stream + gamma * 2));
  z = mix(z ^ (counter + gamma * 3));
  return mix(z ^ (index + gamma * 4));
}

/// Uniform in [0, 1), 24 bits.
inline float random_uniform(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter, std::uint64_t index) {
  return static_cast<float>(random_bits(seed, stream, counter, index) >> 40) * 0x1p-24F;
}

}  // namespace stair::ir
