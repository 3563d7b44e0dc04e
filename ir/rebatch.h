#pragma once

#include <cstdint>

#include "ir/graph.h"

namespace stair::ir {

/// The same graph for another batch size: the first dimension of every input becomes `batch`, and all shapes are inferred anew. For model
/// and inference graphs; Error where a node's attributes fix the batch (a reshape that spells it out).
Graph with_batch(const Graph& graph, std::int64_t batch);

}  // namespace stair::ir
