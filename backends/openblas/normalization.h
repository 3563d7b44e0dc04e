#pragma once

#include <memory>
#include <span>

#include "backends/backend.h"

namespace stair::backends::openblas {

/// The kernel of batch_norm_grad, and of a group that ends with it (gradients.h). Results: dx, dgamma, dbeta.
std::unique_ptr<Kernel> batch_norm_gradient(const ir::Graph& graph, std::span<const ir::NodeId> nodes);

}  // namespace stair::backends::openblas
