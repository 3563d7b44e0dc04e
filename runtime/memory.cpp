#include "runtime/memory.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "runtime/clock.h"

namespace stair::runtime {

double measure_memory_speed(int threads) {
  constexpr std::size_t floats = 8 * 1024 * 1024;  // 32 MiB an array: beyond the second-level cache
  double together = 0;
#pragma omp parallel num_threads(threads) reduction(+ : together)
  {
    std::vector<float> from(floats, 1.0F);
    std::vector<float> to(floats, 0.0F);
    const Clock::time_point begin = Clock::now();
    double best = 0;
    do {
      const Clock::time_point start = Clock::now();
      std::copy(from.begin(), from.end(), to.begin());
      best = std::max(best, 2e-9 * static_cast<double>(floats * sizeof(float)) / seconds_since(start));
      from[0] += to[floats - 1];
    } while (seconds_since(begin) < 0.05);
    together += best;
  }
  return together;
}

double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace stair::runtime
