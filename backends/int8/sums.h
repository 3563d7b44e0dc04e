#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backends/int8/node_kernels.h"

namespace stair::backends::int8 {

/// A residual sum of a training step: a dequantize, the one of the other summand where it is dequantized, too, the sum that alone reads
/// them, and behind it the clamp and the quantizer (quantizer.h) or, where the float is read by others, too, the clamp and the observer
/// (backends/forward.h). Otherwise the node alone.
std::vector<ir::NodeId> sum_group(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                  const std::function<bool(ir::NodeId)>& free);
/// The kernel of such a group.
std::unique_ptr<Kernel> prepare_sum(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes);

}  // namespace stair::backends::int8
