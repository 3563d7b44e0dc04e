#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace stair::ir {

/// The same graph for another batch size: the first dimension of every input becomes `batch`, and all shapes are inferred anew. For models
/// and inference: Error where a node's attributes fix the batch (a reshape that spells it out), or where the graph updates parameters: the
/// backward half of a step divides by the number of its examples, and is made for it.
Graph with_batch(const Graph& graph, std::int64_t batch);

/// The types that with_batch() would give.
struct TypesOfBatch {
  std::vector<Type> types;  ///< by ValueId; those behind a node that refuses the batch are missing
  NodeId refuses = absent;  ///< the node whose attributes fix the batch
  std::string reason;       ///< what its op says of that
};
TypesOfBatch types_of_batch(const Graph& graph, std::int64_t batch);

/// A prime that hardly any model has among its dimensions: what is a multiple of it there counts examples.
inline constexpr std::int64_t telling_batch = 9973;

}  // namespace stair::ir
