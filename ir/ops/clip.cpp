#include "ir/ops/activation.h"

namespace stair::ir::ops {

void clip(OpRegistry& registry) {
  add_activation(registry, {"clip",
                            "min(max(x, low), high)",
                            "dy where low < x < high, else 0",
                            {{"low", "least", -1.0, true}, {"high", "largest", 1.0, true}},
                            OpSchema::Clamp{}});
}

}  // namespace stair::ir::ops
