#include "ir/ops/row_norm.h"

namespace stair::ir::ops {

void group_norm(OpRegistry& registry) {
  add_row_norm(registry, {.name = "group_norm",
                          .summary = "(x - m) / sqrt(v + eps) * gamma + beta with mean m and biased variance v of a group of an example's "
                                     "channels, gamma and beta a channel (Wu, He 2018)",
                          .attributes = {row_norm_groups()},
                          .parameters = group_norm_channels,
                          .count = group_norm_count,
                          .integer_op = "group_norm_integer",
                          .integer_attributes = [](const Attributes& a, const Shape&) -> Attributes {
                            return {{"groups", a.at("groups")}};
                          },
                          .layer_parameters = second_dimension,
                          .dimensions = each_image});
}

}  // namespace stair::ir::ops
