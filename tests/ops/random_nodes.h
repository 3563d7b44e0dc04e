#pragma once

#include <cstdint>
#include <vector>

#include "tests/ops/cases.h"

namespace stair::tests {

/// A node as a hostile file may state it: one of the cases of an op with its types, attributes and data changed in up to four places, or
/// any operands and attributes at all. Most fit together in part only.
struct RandomNode {
  Case c;
  std::vector<bool> constant;  ///< by operand: a constant of the graph, not an input
  bool tame = true;            ///< data as the case says: floats of backends may be compared
};
/// A function of the op and the seed.
RandomNode random_node(const std::string& op, std::uint64_t seed);

}  // namespace stair::tests
