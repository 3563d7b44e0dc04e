#include "ir/ops/activation.h"

namespace stair::ir::ops {

void leaky_relu(OpRegistry& registry) {
  add_activation(registry,
                 {"leaky_relu", "x where x > 0, else slope x", "dy where x > 0, else slope dy", {{"slope", "for negative x", 0.01}}});
}

}  // namespace stair::ir::ops
