#pragma once

#include <memory>
#include <span>

#include "backends/backend.h"
#include "backends/int8/contraction.h"
#include "backends/int8/fusion.h"

namespace stair::backends::int8 {

/// A kernel for a fused group whose sums are the window's. Where its parameters are constants, weights are packed once; else at each run.
/// `what` names it in reports.
std::unique_ptr<Kernel> prepare_contraction(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes,
                                            Constants constants, const Window& window, std::string_view what);

}  // namespace stair::backends::int8
