#pragma once

#include <optional>
#include <string>

#include "ir/graph.h"

namespace stair::ir {

/// Where the examples of a batch meet, or are counted.
struct Meeting {
  NodeId node = absent;  ///< absent: at an output
  std::string message;   ///< with the node's op and name
};

/// The first place in a model at which what belongs to one example begins to depend on the others, or on how many there are; none where all
/// examples go through the model apart, so that any batch gives the same. Dimension 0 of each input counts the examples, and must do so in
/// each output. Where they lie in between is followed through every op (OpSchema::dimensions, in_order): also behind transposes, and among
/// other things in one dimension. What batch_norm does by the statistics of a batch in training is exempt. For models in training form or
/// in inference.
std::optional<Meeting> where_examples_meet(const Graph& model);

}  // namespace stair::ir
