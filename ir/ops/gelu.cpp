#include "ir/ops/activation.h"

namespace stair::ir::ops {

void gelu(OpRegistry& registry) {
  add_activation(registry, {"gelu", "x Phi(x), Phi the normal distribution (Hendrycks, Gimpel 2016)", "dy (Phi(x) + x phi(x))"});
}

}  // namespace stair::ir::ops
