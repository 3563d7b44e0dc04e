#include "ir/ops/row_norm.h"

namespace stair::ir::ops {

void instance_norm(OpRegistry& registry) {
  add_row_norm(registry, {.name = "instance_norm",
                          .summary = "(x - m) / sqrt(v + eps) * gamma + beta with mean m and biased variance v of a channel of an example: "
                                     "group_norm with a group a channel (Ulyanov, Vedaldi, Lempitsky 2016)",
                          .attributes = {},
                          .parameters = [](const InferContext& c) { return row_norm_channels(c, 1); },
                          .count = [](const Attributes&, const Shape& x) { return element_count(x) / (x[0] * x[1]); },
                          .integer_op = "group_norm_integer",
                          .integer_attributes = [](const Attributes&, const Shape& x) -> Attributes {
                            return {{"groups", x[1]}};
                          },
                          .layer_parameters = second_dimension,
                          .dimensions = each_plane});
}

}  // namespace stair::ir::ops
