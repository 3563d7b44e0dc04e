#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "backends/int8/kernels.h"

namespace stair::backends::int8 {

/// A node that sums, what rescales its sums and an addition behind that: nodes that run as one kernel.
struct Fusion {
  const ir::Node* sums = nullptr;           ///< conv2d_integer, linear_integer, matmul_integer, avg_pool_integer, reduce_sum_integer
  const ir::Node* rescale = nullptr;        ///< requantize, requantize_fixed, dequantize_accumulator, or nullptr
  const ir::Node* join = nullptr;           ///< point_binary (add, sub), add_fixed, or nullptr
  std::size_t rescale_at = 0, join_at = 0;  ///< where their operands begin among those of the group
  std::size_t own = 0;                      ///< which operand of `join` the group computes

  Fusion(const ir::Graph& graph, std::span<const ir::NodeId> nodes);
  /// A node that rescales alone the sums that another kernel made.
  static Fusion of_rescale(const ir::Node& node);

  const ir::Node& last() const { return join != nullptr ? *join : rescale != nullptr ? *rescale : *sums; }
  /// Among the operands of the group: the other operand of `join`.
  std::size_t other_at() const { return join_at + 1 - own; }
  std::size_t operand_count() const;
  /// Whether the operand is one of the activations, given anew for each run, or a value within the group. All others are parameters.
  bool is_activation(std::size_t operand) const;

  /// Memory for the parameters of an epilogue.
  static std::size_t parameter_bytes(std::int64_t channels);
  /// The epilogue, with its parameters copied to `memory`. `operands` are those of the group. The offset is a bias in integers, or 0; it
  /// stands at the begin of `memory`.
  Epilogue epilogue(std::span<const ir::TensorView> operands, std::int64_t channels, std::byte* memory) const;

 private:
  Fusion() = default;
};

/// Whether all channels share the parameters of a node that rescales.
bool shares_parameters(const ir::Graph& graph, const ir::Node& rescale);

/// The parameters of point_binary, add_fixed and mul_fixed from their operands; `own` is which of the two the residual addition calls its
/// own.
Residual residual_of(const ir::Node& node, std::size_t own, std::span<const ir::TensorView> operands);

/// The nodes that go with `first`, which sums and has its channels on the last axis of its result.
std::vector<ir::NodeId> fuse(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first, const std::function<bool(ir::NodeId)>& free);

/// The same where they are on that axis: what rescales the sums, no addition behind it.
std::vector<ir::NodeId> fuse_rescale(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first, std::int64_t channel_axis,
                                     const std::function<bool(ir::NodeId)>& free);

}  // namespace stair::backends::int8
