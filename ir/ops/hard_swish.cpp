#include "ir/ops/activation.h"

namespace stair::ir::ops {

void hard_swish(OpRegistry& registry) {
  add_activation(registry, {"hard_swish", "x min(max(x + 3, 0), 6) / 6 (Howard 2019, section 5.2)",
                            "dy (2 x + 3) / 6 within (-3, 3), dy above, 0 below"});
}

}  // namespace stair::ir::ops
