#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace stair::tests {

/// The seeds 0 to count - 1 of a test of random cases: no more than STAIR_SEEDS, for slow builds, or only the one that STAIR_SEED names.
inline std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* one = std::getenv("STAIR_SEED")) return {std::strtoull(one, nullptr, 10)};
  if (const char* most = std::getenv("STAIR_SEEDS")) count = std::clamp<std::uint64_t>(std::strtoull(most, nullptr, 10), 1, count);
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 0; seed < count; ++seed) all.push_back(seed);
  return all;
}

/// Whether this is a slow build, whose tests take fewer cases (STAIR_SEEDS).
inline bool slow_build() {
  return std::getenv("STAIR_SEEDS") != nullptr;
}

/// How to run the current test case with that seed alone: what a failing case prints. A comma would part two names.
inline std::string replay(std::uint64_t seed) {
  std::string name = doctest::getContextOptions()->currentTest->m_name;
  std::replace(name.begin(), name.end(), ',', '?');
  return "replay: STAIR_SEED=" + std::to_string(seed) + " PROGRAM '-tc=" + name + "'";
}

}  // namespace stair::tests
