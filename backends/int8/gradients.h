#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backends/int8/node_kernels.h"

namespace stair::backends::int8 {

/// A dequantize and the gradient of a convolution that alone reads it, where the variant multiplies floats by 8-bit integers faster than by
/// floats (gradient_kernels.h): conv2d_grad_weight whose input, or conv2d_grad_input whose weights are dequantized. Otherwise the node
/// alone.
std::vector<ir::NodeId> gradient_group(const Kernels& kernels, const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                       const std::function<bool(ir::NodeId)>& free);
/// The kernel of such a group.
std::unique_ptr<Kernel> prepare_gradient(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes);

}  // namespace stair::backends::int8
