#include "ir/ops/row_norm.h"

namespace stair::ir::ops {

void group_norm_integer(OpRegistry& registry) {
  add_row_norm_integer(registry, "group_norm_integer", "N-NORM: group_norm on integers, instance_norm too", row_norm_groups(),
                       group_norm_channels, group_norm_count);
}

}  // namespace stair::ir::ops
