#pragma once

// Gradients on their way back run through what stands between two layers in one read: the sum over the readers of a value, the clamp's
// gradient or its mask, and batch normalization.
//   add?, (apply_mask | relu_grad | relu6_grad)?, batch_norm_grad?

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backends/backend.h"

namespace stair::backends::openblas {

/// dx of an activation from dy and its operand (of a clamp: its result), element by element; dx may be dy.
using ActivationGradient = void (*)(const float* dy, const float* x, float slope, float* dx, std::int64_t count);
void relu_back(const float* dy, const float* x, float slope, float* dx, std::int64_t count);
void relu6_back(const float* dy, const float* x, float slope, float* dx, std::int64_t count);

/// Whether the node is such a mask or clamp.
bool filters_gradients(const ir::Node& node);

/// FunctionKernels::Entry::group of the ops that such a group begins with.
std::vector<ir::NodeId> gradient_group(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                       const std::function<bool(ir::NodeId)>& free);
/// FunctionKernels::Entry::prepare of them, and of batch_norm_grad alone.
std::unique_ptr<Kernel> prepare_gradient_group(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants constants);
/// The kernel where the last node is batch_norm_grad. Results: dx, dgamma, dbeta.
std::unique_ptr<Kernel> batch_norm_gradient(const ir::Graph& graph, std::span<const ir::NodeId> nodes);

/// The elementwise part of such a group: rows of the gradient that comes out of it.
class Incoming {
 public:
  /// `nodes` may end with other nodes; without elementwise ones it is operand 0 as it lies in memory.
  Incoming(const ir::Graph& graph, std::span<const ir::NodeId> nodes);

  /// How many operands its nodes have: those of the nodes behind begin there.
  std::size_t operands() const { return operands_; }
  /// A row, in a buffer or where it lies, and the bits of its elements that count, the others being 0; nullptr: all do.
  struct Row {
    const float* dy;
    const std::uint8_t* mask;
  };
  /// `count` elements from element `first` on; `buffer` has room for as many. Bits are left to the caller only where `first` is a multiple
  /// of 8.
  Row masked_row(const Arguments& a, std::int64_t first, std::int64_t count, float* buffer) const;
  /// The same with the mask applied.
  const float* row(const Arguments& a, std::int64_t first, std::int64_t count, float* buffer) const;

 private:
  const float* sum(const Arguments& a, std::int64_t first, std::int64_t count, float* buffer) const;

  bool adds_ = false;
  std::optional<std::size_t> mask_, clamped_;  ///< the group's operand that the node reads beside the gradient
  ActivationGradient clamp_ = nullptr;
  std::size_t operands_ = 0;
};

}  // namespace stair::backends::openblas
