#include "ir/ops/softmax.h"

namespace stair::ir::ops {

void log_softmax(OpRegistry& registry) {
  add_softmax(registry, "log_softmax", "x - log(sum of exp(x)) along axis", "dy - exp(y) sum of dy",
              no_integer_form("a logarithm over an axis: no function of one integer; runs on dequantized floats"));
}

}  // namespace stair::ir::ops
