#include "ir/ops/activation.h"

namespace stair::ir::ops {

void log(OpRegistry& registry) {
  add_activation(registry, {"log", "the natural logarithm: -inf at 0, NaN below", "dy / x"});
}

}  // namespace stair::ir::ops
