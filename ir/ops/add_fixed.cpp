#include "ir/ops/point.h"

namespace stair::ir::ops {

void add_fixed(OpRegistry& registry) {
  registry.add(point_fixed(
      "add_fixed",
      "a + b (or a - b) in integers: both shifted left by 20, rescaled to twice the larger scale, added, rescaled (TFLite's reference "
      "addition; Jacob 2017, appendix A.2)",
      3, ", of add_fixed_multipliers", {{"subtract", "a - b", false}}));
}

}  // namespace stair::ir::ops
