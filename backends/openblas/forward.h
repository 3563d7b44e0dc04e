#pragma once

// Activations of a training step run through what stands between two layers as one kernel: batch normalization, and what backends/forward.h
// says.

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "backends/forward.h"

namespace stair::backends::openblas {

/// FunctionKernels::Entry::group of the ops that such a group begins with.
std::vector<ir::NodeId> forward_group(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                      const std::function<bool(ir::NodeId)>& free);
/// FunctionKernels::Entry::prepare of them, and of batch_norm alone.
std::unique_ptr<Kernel> prepare_forward_group(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants constants);
/// The kernel where the first node is batch_norm.
std::unique_ptr<Kernel> batch_normalization(const ir::Graph& graph, std::span<const ir::NodeId> nodes);

}  // namespace stair::backends::openblas
