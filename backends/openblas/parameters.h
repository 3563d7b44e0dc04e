#pragma once

#include "backends/backend.h"
#include "ir/numerics.h"

namespace stair::backends::openblas {

inline ir::Range range_of(const ir::Node& node) {
  return {static_cast<std::int32_t>(node.attributes.integer("lo")), static_cast<std::int32_t>(node.attributes.integer("hi"))};
}
/// [lo, hi], narrowed by the operand `range` (a fused clamp) where it is there.
inline ir::Range range_of(const ir::Node& node, const Arguments& a, std::size_t range) {
  if (a.has(range)) return {a.operands[range].as<std::int32_t>()[0], a.operands[range].as<std::int32_t>()[1]};
  return range_of(node);
}

}  // namespace stair::backends::openblas
