#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/type.h"
#include "runtime/executor.h"

namespace stair::runtime {

/// How long to measure: so many runs, or, where that is 0, so many seconds (and 3 runs at least).
struct MeasuringTime {
  double seconds = 2;
  std::int64_t runs = 0;
};

/// What runs of a graph take, in milliseconds.
struct Latency {
  double median_ms = 0;
  double p90_ms = 0;  ///< nine runs in ten take no longer
  double p99_ms = 0;
  double min_ms = 0;
  std::int64_t runs = 0;
};

/// Runs the executor over the inputs: some runs to warm up, then those that are measured.
Latency measure_latency(Executor& executor, std::span<const ir::TensorView> inputs, const MeasuringTime& time);

/// The median of each step, in milliseconds, in the order of the executor's assignments. Looking at the clock between the steps takes time
/// itself, so that these are no part of measure_latency.
std::vector<double> measure_steps(Executor& executor, std::span<const ir::TensorView> inputs, const MeasuringTime& time);

}  // namespace stair::runtime
