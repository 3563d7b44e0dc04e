#include "runtime/peak.h"

#include <algorithm>

#include "runtime/clock.h"
#include "runtime/sum_over_threads.h"

namespace stair::runtime {

namespace {

// Doubled until a run takes a millisecond: long beside the clock, short beside a slice of the scheduler.
std::int64_t times_of_a_run(const PeakLoop& loop) {
  std::int64_t times = 1'000;
  for (;;) {
    const Clock::time_point start = Clock::now();
    loop.run(times);
    if (seconds_since(start) > 1e-3) return times;
    times *= 2;
  }
}

// The best of the runs of one thread. Others run beside it, so that threads share what they share.
double best_of_runs(const PeakLoop& loop, std::int64_t times) {
  double best = 0;
  const Clock::time_point begin = Clock::now();
  while (seconds_since(begin) < 0.05) {
    const Clock::time_point start = Clock::now();
    const std::int64_t products = loop.run(times);
    best = std::max(best, 2e-9 * static_cast<double>(products) / seconds_since(start));
  }
  return best;
}

}  // namespace

void PeakRegistry::add(const PeakLoop& loop) {
  loops_.push_back(loop);
}

std::vector<Peak> measure_peaks(int threads) {
  std::vector<Peak> peaks;
  for (const PeakLoop& loop : peak_loops().all()) {
    if (!loop.supported()) continue;
    const std::int64_t times = times_of_a_run(loop);
    const double together = sum_over_threads(threads, [&] { return best_of_runs(loop, times); });
    peaks.push_back({loop.isa, loop.instruction, loop.elements, together});
  }
  std::sort(peaks.begin(), peaks.end(), [](const Peak& a, const Peak& b) { return a.gop_per_s < b.gop_per_s; });
  return peaks;
}

}  // namespace stair::runtime
