#include "ir/ops/activation.h"

namespace stair::ir::ops {

void hard_tanh(OpRegistry& registry) {
  add_activation(registry, {"hard_tanh",
                            "min(max(x, low), high)",
                            "dy where low < x < high, else 0",
                            {{"low", "least", -1.0}, {"high", "largest", 1.0}},
                            OpSchema::Clamp{}});
}

}  // namespace stair::ir::ops
