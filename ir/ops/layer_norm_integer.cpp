#include "ir/ops/row_norm.h"

namespace stair::ir::ops {

void layer_norm_integer(OpRegistry& registry) {
  add_row_norm_integer(registry, "layer_norm_integer", "N-NORM: layer_norm on integers", row_norm_axis(), row_norm_suffix,
                       layer_norm_count);
}

}  // namespace stair::ir::ops
