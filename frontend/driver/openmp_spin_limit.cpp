#include "frontend/driver/openmp_spin_limit.h"

#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace stair::driver {
namespace {

using Nanoseconds = std::chrono::duration<double, std::nano>;

constexpr Nanoseconds waking = std::chrono::microseconds(50);
constexpr double longest = 300'000;  // the library's own limit

// What a round of the library's loop takes: between 1 ns and 50 on the processors that there are.
Nanoseconds spinning_round() {
  constexpr int rounds = 1000;
  std::atomic<int> awaited = 0;
  Nanoseconds least = Nanoseconds::max();
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto start = std::chrono::steady_clock::now();
    for (int round = 0; round < rounds && awaited.load(std::memory_order_acquire) == 0; ++round) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#else
      asm volatile("" ::: "memory");
#endif
    }
    least = std::min(least, Nanoseconds(std::chrono::steady_clock::now() - start));
  }
  return least / rounds;
}

}  // namespace

void limit_spinning(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  const char* const program = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  std::error_code absent;
  if (program == nullptr || !std::filesystem::equivalent(program, "/proc/self/exe", absent)) return;
  const double rounds = std::clamp(waking / spinning_round(), 1.0, longest);
  ::setenv("GOMP_SPINCOUNT", std::to_string(static_cast<long>(rounds)).c_str(), 0);
  ::execv(program, argv);
}

}  // namespace stair::driver
