#pragma once

#include <vector>

#include "ir/graph.h"

namespace stair::passes {

/// By ValueId: whether the value is one of those marked already, or depends on one.
std::vector<bool> depends_on(const ir::Graph& graph, std::vector<bool> marked);

/// By ValueId: whether the value depends on an input of the graph (and not on states alone). What doesn't is known before deployment.
std::vector<bool> depends_on_inputs(const ir::Graph& graph);

/// Whether the node accumulates by weights that have the output channels first, each with a scale of its own if the recipe says so. A
/// product of any two values has one scale.
bool has_channels(const ir::Node& node);

/// Whether a batch-norm behind the node, if that alone reads it, folds into it (N-BN-SCALE, N-BN-WEIGHT).
bool takes_batch_norm(const ir::Graph& graph, const ir::Node& node);

/// The state that a weight comes from: the weight itself, or the latent weight behind folding; absent where there is none.
ir::ValueId latent_weight(const ir::Graph& graph, ir::ValueId weight);

}  // namespace stair::passes
