#include "ir/ops/activation.h"

namespace stair::ir::ops {

void elu(OpRegistry& registry) {
  add_activation(registry, {"elu",
                            "x where x > 0, else alpha (exp(x) - 1) (Clevert et al. 2015)",
                            "dy where x > 0, else dy alpha exp(x)",
                            {{"alpha", "minus the limit for negative x", 1.0}}});
}

}  // namespace stair::ir::ops
