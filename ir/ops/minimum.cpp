#include "ir/ops/extremum.h"

namespace stair::ir::ops {

void minimum(OpRegistry& registry) {
  add_extremum(registry, "minimum", "the least of the operands, element by element; the first of equals");
}

}  // namespace stair::ir::ops
