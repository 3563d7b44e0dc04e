#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "backends/backend.h"
#include "ir/graph.h"
#include "runtime/tensor.h"
#include "tests/ops/cases.h"

namespace stair::tests {

/// Runs a graph node by node, each value in a buffer of its own: neither memory plan nor executor. Results and scratch are filled with
/// garbage before each run, so that a kernel that leaves elements out or counts on zeros shows.
class Interpreter {
 public:
  /// Each node runs on the first backend that supports it. The graph must outlive the interpreter and stay as it is.
  Interpreter(const ir::Graph& graph, const std::vector<const backends::Backend*>& backends, int threads = 1);

  /// Copies the tensor into the input (or state) of that name.
  void feed(std::string_view name, const runtime::Tensor& tensor);
  void feed(const runtime::Tensors& tensors);
  void run();
  const runtime::Tensor& value(ir::ValueId id) const { return values_[static_cast<std::size_t>(id)]; }
  /// For tests that change an input in place.
  runtime::Tensor& value(ir::ValueId id) { return values_[static_cast<std::size_t>(id)]; }

 private:
  struct Step {
    const ir::Node* node;
    std::unique_ptr<backends::Kernel> kernel;
    runtime::Buffer scratch;
  };
  const ir::Graph& graph_;
  int threads_;
  std::vector<runtime::Tensor> values_;
  std::vector<Step> steps_;
};

/// Every result of the case on the reference backend, as doubles.
std::vector<std::vector<double>> run_reference(const Case& c);

}  // namespace stair::tests
