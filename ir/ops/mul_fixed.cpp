#include "ir/ops/point.h"

namespace stair::ir::ops {

void mul_fixed(OpRegistry& registry) {
  registry.add(point_fixed(
      "mul_fixed", "a * b in integers: the product of the offsets times s_a * s_b / s_y (TFLite's reference multiplication)", 1, "", {}));
}

}  // namespace stair::ir::ops
