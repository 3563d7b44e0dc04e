#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace stair::passes {

/// By ValueId: whether the value depends on an input of the graph (and not on states alone). What doesn't is known before deployment.
std::vector<bool> depends_on_inputs(const ir::Graph& graph);

/// Whether a batch-norm behind the node, if that alone reads it, folds into it (N-BN-SCALE, N-BN-WEIGHT).
bool takes_batch_norm(const ir::Node& layer);

/// The state that a weight comes from: the weight itself, or the latent weight behind folding; absent where there is none.
ir::ValueId latent_weight(const ir::Graph& graph, ir::ValueId weight);

/// The layer that a parameter belongs to: "conv1" for the state "conv1.weight"; also for values computed from that state alone (a folded
/// weight). Empty where the value comes from no single layer.
std::string layer_of_weight(const ir::Graph& graph, ir::ValueId weight);

}  // namespace stair::passes
