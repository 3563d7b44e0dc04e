#include "ir/ops/softmax.h"

namespace stair::ir::ops {

void softmax(OpRegistry& registry) {
  add_softmax(registry, "softmax", "exp(x) / sum of exp(x) along axis", "y (dy - sum of dy y)");
}

}  // namespace stair::ir::ops
