#include "ir/ops/arithmetic.h"

namespace stair::ir::ops {

void add(OpRegistry& registry) {
  add_binary(
      registry, "add", "a + b",
      [](GradientContext& g) -> std::vector<ValueId> {
        return {g.needs(0) ? reduced(g, 0, g.gradient()) : absent, g.needs(1) ? reduced(g, 1, g.gradient()) : absent};
      },
      point_sum("add", false), true);
}

}  // namespace stair::ir::ops
