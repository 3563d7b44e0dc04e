#pragma once

#include "backends/backend.h"
#include "ir/numerics.h"

namespace stair::backends {

/// [lo, hi] of a quantizing node.
inline ir::Range range_of(const ir::Node& node) {
  return {static_cast<std::int32_t>(node.attributes.integer("lo")), static_cast<std::int32_t>(node.attributes.integer("hi"))};
}

/// The same, narrowed to the tensor `clamped` (the range of a fused clamp) where that has data.
inline ir::Range range_of(const ir::Node& node, const ir::TensorView& clamped) {
  if (clamped.data != nullptr) return {clamped.as<std::int32_t>()[0], clamped.as<std::int32_t>()[1]};
  return range_of(node);
}

/// Where the operand `range`, which may be left out, is that tensor.
inline ir::Range range_of(const ir::Node& node, const Arguments& a, std::size_t range) {
  return a.has(range) ? range_of(node, a.operands[range]) : range_of(node);
}

}  // namespace stair::backends
