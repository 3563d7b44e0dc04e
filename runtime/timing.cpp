#include "runtime/timing.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>

#include "runtime/clock.h"

namespace stair::runtime {
namespace {

constexpr std::int64_t fewest_runs = 3;

double milliseconds(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

void repeat(const MeasuringTime& time, const std::function<void()>& run) {
  const Clock::time_point start = Clock::now();
  const auto more = [&](std::int64_t done) {
    if (time.runs > 0) return done < time.runs;
    return done < fewest_runs || milliseconds(start, Clock::now()) < 1e3 * time.seconds;
  };
  for (std::int64_t done = 0; more(done); ++done) run();
}

// A tenth of the time: caches, the processor's clock and the threads are then as they stay.
void warm_up(const MeasuringTime& time, const std::function<void()>& run) {
  repeat({time.seconds / 10, (time.runs + 9) / 10}, run);
}

// The least value that the share of the sorted ones doesn't exceed.
double quantile(const std::vector<double>& sorted, double share) {
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace

Latency measure_latency(Executor& executor, std::span<const ir::TensorView> inputs, const MeasuringTime& time) {
  std::vector<double> times;
  warm_up(time, [&] { executor.run(inputs); });
  repeat(time, [&] {
    const Clock::time_point before = Clock::now();
    executor.run(inputs);
    times.push_back(milliseconds(before, Clock::now()));
  });
  std::sort(times.begin(), times.end());
  return {quantile(times, 0.5), quantile(times, 0.9), quantile(times, 0.99), times.front(), static_cast<std::int64_t>(times.size())};
}

std::vector<double> measure_steps(Executor& executor, std::span<const ir::TensorView> inputs, const MeasuringTime& time) {
  std::vector<std::vector<double>> times(executor.assignments().size());
  std::size_t step = 0;
  Clock::time_point before;
  executor.set_hook([&](std::span<const ir::ValueId>, std::span<const ir::TensorView>) {
    const Clock::time_point now = Clock::now();
    times[step++].push_back(milliseconds(before, now));
    before = Clock::now();
  });
  const auto run = [&] {
    step = 0;
    before = Clock::now();
    executor.run(inputs);
  };
  warm_up(time, run);
  for (std::vector<double>& of_step : times) of_step.clear();
  repeat(time, run);
  executor.set_hook(nullptr);
  std::vector<double> medians;
  for (std::vector<double>& of_step : times) {
    std::sort(of_step.begin(), of_step.end());
    medians.push_back(quantile(of_step, 0.5));
  }
  return medians;
}

}  // namespace stair::runtime
