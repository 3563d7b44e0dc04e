#pragma once

#include "ir/graph.h"

namespace stair::ir {

/// Throws InternalError naming the node unless the graph is sound: operands are defined before they are used, names are unique,
/// result types are what the schemas infer, updates name states and have their types, every state is updated at most once.
void verify(const Graph& graph);

}  // namespace stair::ir
