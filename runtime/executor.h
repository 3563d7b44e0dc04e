#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "ir/error.h"
#include "ir/graph.h"
#include "ir/plan.h"
#include "runtime/tensor.h"

namespace stair::runtime {

/// Names a value that updates a state, what of it isn't finite, and its node.
class NotFinite : public Error {
 public:
  NotFinite(const std::string& what, bool states_changed) : Error(what), changed_(states_changed) {}
  /// Whether states of floats have been written, those that the plan writes straight into (an optimizer's).
  bool states_changed() const { return changed_; }

 private:
  bool changed_;
};

/// Runs one graph, again and again, over tensors that others own. The graph's states are looked up by name in `states`, which must hold
/// them (initialize_states) and outlive the executor.
class Executor {
 public:
  struct Options {
    /// In order of preference; the reference is asked last, whether it stands here or not.
    std::vector<const backends::Backend*> backends;
    int threads = 1;
  };
  /// Which backend runs a step, and why the preferred ones don't.
  struct Assignment {
    std::vector<ir::NodeId> nodes;  ///< that run as one kernel
    std::string node;               ///< the last one's name
    std::string op;                 ///< "conv2d_integer + requantize"
    std::string backend, kernel;
    std::string isa;                    ///< that the kernel computes on; "": it doesn't say
    std::size_t packed_bytes = 0;       ///< of constants that the kernel keeps in a form of its own
    std::vector<std::string> declined;  ///< "openblas: int32 sums may pass 2^24"
  };
  /// Lays out the memory of a graph that runs in the order of a schedule (passes/plan_memory).
  using Planner = std::function<ir::MemoryPlan(const ir::Graph&, const ir::Schedule&)>;

  Executor(ir::Graph graph, const Planner& planner, Tensors& states, Options options);
  ~Executor();
  Executor(Executor&&) noexcept;

  const ir::Graph& graph() const;
  /// One a step, in order.
  const std::vector<Assignment>& assignments() const;
  /// Where all values lie; the steps are the assignments.
  const ir::MemoryPlan& plan() const;
  /// Bytes of all values that an execution computes.
  std::size_t arena_bytes() const;

  /// One execution over the inputs, in the order of the graph's; types must match. Updates take effect at its end. Throws NotFinite where
  /// one of them isn't finite (N-FINITE), before the first state is written where that is known by then.
  void run(std::span<const ir::TensorView> inputs);
  /// An output of the last execution, valid until the next one.
  ir::TensorView output(std::string_view name) const;
  /// Called after each step with its results while set. An exception it throws leaves run() before the updates, but for those of nodes so
  /// far that the plan writes straight into their states (an optimizer's, which come behind the loss).
  using Hook = std::function<void(std::span<const ir::ValueId> values, std::span<const ir::TensorView> results)>;
  void set_hook(Hook hook);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stair::runtime
