#include "ir/ops/convolution.h"

namespace stair::ir::ops {

void conv2d(OpRegistry& registry) {
  add_convolution(registry, {.name = "conv2d",
                             .summary = "cross-correlation of x [N,C,H,W] with weight [O,C/groups,KH,KW], plus bias",
                             .grad_input = "gradient of conv2d by x: the transposed convolution of dy with the weight",
                             .grad_weight = "gradient of conv2d by the weight: the correlation of x with dy, summed over the batch",
                             .attributes = {},
                             .infer = infer_convolution,
                             // Each element of the result with the weights of its channel; padding counts.
                             .products = [](const Attributes&, const Shape&, const Shape& weight, const Shape& y) {
                               return element_count(y) * (element_count(weight) / weight.front());
                             }});
}

}  // namespace stair::ir::ops
