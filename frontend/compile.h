#pragma once

#include <cstdint>
#include <vector>

#include "passes/accumulators.h"
#include "passes/pipelines.h"
#include "runtime/executor.h"
#include "runtime/tensor.h"

namespace stair::frontend {

struct CompileOptions {
  std::vector<const backends::Backend*> backends = backends::all();  ///< in order of preference
  int threads = 1;
  std::uint64_t seed = 0;  ///< of states that have no value yet
};

/// Runs the pipeline over the model at that batch size, gives missing states their first values, plans memory, and makes the executor.
/// `states` must outlive it. Error as the passes throw them.
runtime::Executor compile(const ir::Graph& model, const passes::Pipeline& pipeline, std::int64_t batch, runtime::Tensors& states,
                          const CompileOptions& options);

/// An executor over a graph of a training step, or of a part of one.
runtime::Executor training_executor(ir::Graph graph, runtime::Tensors& states, const CompileOptions& options);

/// An executor over a graph that is ready to run (a deployment graph); scheduled where it trains, lowered for the preferred
/// backend where it only infers.
runtime::Executor executor_for(ir::Graph graph, runtime::Tensors& states, const CompileOptions& options);

/// What is deployed: the integer graph (batch 1), its constants, and the proof that its sums can't overflow.
struct Deployment {
  ir::Graph graph;
  runtime::Tensors constants;
  std::vector<passes::AccumulatorBound> bounds;
};

/// Cuts the inference half and computes its constants from trained (and calibrated) states. Error where a quantizer has seen no data, where
/// an overflow can't be excluded, or where a number on the way isn't finite (N-FINITE).
Deployment deploy(const ir::Graph& model, const passes::Recipe& recipe, runtime::Tensors& states);

/// The float model in inference, with nothing folded but what always is: batch 1, its states as constants. Error where a state isn't
/// finite.
Deployment deploy_float(const ir::Graph& model, const runtime::Tensors& states);

/// Whether an observer's f32 state holds anything but what it has before the first batch.
bool has_seen(const ir::Graph& graph, const ir::State& state, const runtime::Tensors& states);

/// Error naming the first activation quantizer whose range is empty (nothing has been calibrated), or a state that isn't finite.
void check_calibrated(const ir::Graph& model, const passes::Recipe& recipe, const runtime::Tensors& states);

}  // namespace stair::frontend
