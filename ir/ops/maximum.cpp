#include "ir/ops/extremum.h"

namespace stair::ir::ops {

void maximum(OpRegistry& registry) {
  add_extremum(registry, "maximum", "the largest of the operands, element by element; the first of equals");
}

}  // namespace stair::ir::ops
