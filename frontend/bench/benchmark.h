#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "frontend/compile.h"
#include "runtime/peak.h"
#include "runtime/timing.h"

namespace stair::bench {

/// A graph to measure, with the values of its states.
struct Subject {
  std::string name;
  std::int64_t batch = 1;
  bool trains = false;       ///< a training step rather than inference
  std::int64_t classes = 0;  ///< of its labels, where it trains
  std::string recipe = {};   ///< JSON; "": float
  std::string note = {};     ///< what the weights and ranges are
  ir::Graph graph = {};
  runtime::Tensors states = {};
};

/// What would be deployed of a model that hasn't been trained: initial weights, and ranges of activations calibrated on random data. Its
/// speed is that of the trained model.
Subject untrained_subject(const ir::Graph& model, const passes::Recipe& recipe, std::int64_t batch);
/// The model's inference in float, with initial weights.
Subject float_subject(const ir::Graph& model, std::int64_t batch);
/// What an artifact holds. Error as load_artifact throws it.
Subject artifact_subject(const std::string& path, std::int64_t batch);
/// A training step from initial weights: cross-entropy and SGD with momentum; with a recipe that of a qat stage, in float without.
Subject training_subject(const ir::Graph& model, const std::optional<passes::Recipe>& recipe, std::int64_t batch);

/// What it is fed: random images, and labels of all classes where it trains.
std::vector<runtime::Tensor> inputs_of(const Subject& subject);

struct BenchmarkOptions {
  frontend::CompileOptions compile;
  runtime::MeasuringTime time;
};

/// One kernel's part: one node, or several that run as one.
struct StepTime {
  runtime::Executor::Assignment assignment;
  double median_ms = 0;
  double operations = 0;  ///< two a multiply-accumulate of convolutions and products
  double bytes = 0;  ///< of the tensors that it reads and writes, constants as it packed them; what stays within the kernel doesn't count
  std::optional<runtime::Peak> peak;  ///< of the instruction set that it runs on, where that is known
  double gop_per_s() const { return median_ms > 0 ? operations / (1e6 * median_ms) : 0; }
  double gb_per_s() const { return median_ms > 0 ? bytes / (1e6 * median_ms) : 0; }
};

struct Benchmark {
  runtime::Latency latency;
  std::vector<runtime::Peak> peaks;   ///< of this machine on so many threads, slowest first
  std::vector<StepTime> steps;        ///< in order
  std::optional<runtime::Peak> peak;  ///< of the instruction set that most operations run on, where there are any
  double operations = 0;
  double peak_fraction = 0;    ///< time that the operations would take at the peaks of the sets they run on, as a share of the latency
  double memory_gb_per_s = 0;  ///< that this machine moves at most
  std::size_t arena_bytes = 0, state_bytes = 0;
  std::size_t packed_bytes = 0;  ///< of constants that kernels keep in a form of their own
  double peak_rss_mib = 0;       ///< of the process over the runs
};

/// What a step of an executor does.
struct Work {
  std::int64_t multiply_accumulates = 0;
  std::int64_t bytes = 0;      ///< of tensors but constants
  std::int64_t constants = 0;  ///< bytes of those
};

/// That of each step.
std::vector<Work> work_by_step(const runtime::Executor& executor);

/// Compiles the graph and measures it on inputs_of.
Benchmark run_benchmark(Subject& subject, const BenchmarkOptions& options);

}  // namespace stair::bench
