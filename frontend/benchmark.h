#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "frontend/compile.h"
#include "runtime/peak.h"
#include "runtime/timing.h"

namespace stair::driver {

/// A graph to measure, at batch 1, with the values of its states.
struct Subject {
  std::string name;
  std::string recipe;  ///< JSON; "": float
  std::string note;    ///< what the weights and ranges are
  ir::Graph graph;
  runtime::Tensors states;
};

/// What would be deployed of a model that hasn't been trained: initial weights, and ranges of activations calibrated on random data. Its
/// speed is that of the trained model.
Subject untrained_subject(const ir::Graph& model, const passes::Recipe& recipe);
/// The model's inference in float, with initial weights.
Subject float_subject(const ir::Graph& model);
/// What an artifact holds. Error as load_artifact throws it.
Subject artifact_subject(const std::string& path);

struct BenchmarkOptions {
  CompileOptions compile;
  std::int64_t batch = 1;
  runtime::MeasuringTime time;
};

/// One kernel's part: one node, or several that run as one.
struct StepTime {
  runtime::Executor::Assignment assignment;
  double median_ms = 0;
  double operations = 0;              ///< two a multiply-accumulate of convolutions and products
  std::optional<runtime::Peak> peak;  ///< of the instruction set that it runs on, where that is known
  double gop_per_s() const { return median_ms > 0 ? operations / (1e6 * median_ms) : 0; }
};

struct Benchmark {
  runtime::Latency latency;
  std::vector<runtime::Peak> peaks;   ///< of this machine on so many threads, slowest first
  std::vector<StepTime> steps;        ///< in order
  std::optional<runtime::Peak> peak;  ///< of the instruction set that most operations run on, where there are any
  double operations = 0;
  double peak_fraction = 0;  ///< time that the operations would take at the peaks of the sets they run on, as a share of the latency
  std::size_t arena_bytes = 0, state_bytes = 0;
};

/// Multiply-accumulates of each step of the executor. A node that no assignment names runs within the step that reads it.
std::vector<std::int64_t> multiply_accumulates_by_step(const runtime::Executor& executor);

/// Compiles the graph for the batch and measures it on random inputs.
Benchmark run_benchmark(Subject& subject, const BenchmarkOptions& options);

}  // namespace stair::driver
