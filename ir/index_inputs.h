#pragma once

#include <cstdint>
#include <string>

#include "ir/graph.h"

namespace stair::ir {

/// Of an input of integers: indices from 0 to one less may be fed, the fewest rows of the embeddings that read it, also through ops that
/// move its elements. 0: no embedding does, so that they mean nothing.
std::int64_t rows_of(const Graph& graph, ValueId input);

/// What a model's input has to be, f32 [N, ...] or indices i32 [N, ...] of an embedding: "" where it is, else what was expected.
std::string expected_input(const Graph& graph, ValueId input);

/// Whether the value, of i32, says where something stands: an op that compares elements yields it, also through ops that move them. (Sums
/// of integers stand for floats, and mean nothing without a scale.)
bool is_position(const Graph& graph, ValueId value);

}  // namespace stair::ir
