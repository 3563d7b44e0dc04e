#pragma once

#include <chrono>

namespace stair::runtime {

/// What times steps, runs and loops: never set back.
using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace stair::runtime
