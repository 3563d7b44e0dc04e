#pragma once

#include "backends/backend.h"

namespace stair::backends::openblas {

/// Nodes on f32 (or on no floats at all): doubles serve checks, not training.
inline Answer not_double(const ir::Graph& graph, const ir::Node& node) {
  for (const auto* values : {&node.operands, &node.results}) {
    for (const ir::ValueId value : *values) {
      if (value != ir::absent && graph.type(value).dtype == ir::DType::f64) return Answer::cannot("f64: the reference computes in double");
    }
  }
  return Answer::can();
}

}  // namespace stair::backends::openblas
