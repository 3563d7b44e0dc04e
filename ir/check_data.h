#pragma once

#include <functional>

#include "ir/graph.h"
#include "ir/type.h"

namespace stair::ir {

/// Checks what each node's op asks of the elements of its operands (OpSchema::check_data): a zero point that kernels subtract, a shift, the
/// range of a clamp. `constant` gives the tensor of a state that no execution changes, data == nullptr for one that isn't known. What an
/// execution computes or is fed is held to be whatever its element type, or the op that computes it, allows. Throws Error naming the node,
/// its operand, what was found and what was expected.
void check_data(const Graph& graph, const std::function<TensorView(const State&)>& constant);

}  // namespace stair::ir
