#pragma once

#include "backends/int8/parallel_for.h"
#include "ir/graph.h"

namespace stair::backends::int8 {

/// A tensor as runs of neighbours with the same per-channel parameters, by its channel axis (negative counts from the end); a single run
/// where all share one.
struct ChannelRuns {
  std::int64_t count = 1, length = 1, channels = 1;

  ChannelRuns(const ir::Shape& shape, std::int64_t axis, bool shared) {
    const auto at = static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.size()) : axis);
    if (!shared) channels = shape[at];
    for (std::size_t i = 0; i < shape.size(); ++i) (i <= at && channels > 1 ? count : length) *= shape[i];
  }

  /// Those of the operand of a quantize or dequantize: one run where it has one scale.
  static ChannelRuns by_scale(const ir::Graph& graph, const ir::Node& node) {
    return {graph.type(node.operands[0]).shape, node.attributes.integer("axis"), graph.type(node.operands[1]).shape == ir::Shape{1}};
  }

  /// Calls body(channel, first, last) for runs or pieces of them.
  template <class Body>
  void for_each(int threads, Body&& body) const {
    if (count == 1) {
      return for_elements(length, threads, [&](std::int64_t first, std::int64_t last) { body(std::int64_t{0}, first, last); });
    }
    parallel_for(count, 1, elements_of_piece / length, threads, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t run = first; run < last; ++run) body(run % channels, run * length, (run + 1) * length);
    });
  }
};

}  // namespace stair::backends::int8
