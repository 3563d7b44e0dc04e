#include <utility>

#include "ir/ops/convolution.h"
#include "ir/ops/layout.h"

namespace stair::ir::ops {

void conv2d_integer(OpRegistry& registry) {
  std::vector<AttributeSpec> attributes = convolution_attributes();
  attributes.push_back(layout_attribute());
  registry.add(
      {.name = "conv2d_integer",
       .summary = "N-ACC: sum of (x - z_x) * w, exact in int32; padding counts as z_x",
       .operands = {{"x", "u8 or s8 [N,C,H,W], or in the layout"}, {"weight", "s8 [O,C/groups,KH,KW]"}, {"x_zero_point", "i32[1]"}},
       .results = {{"acc", "i32 [N,O,OH,OW], or in the layout"}},
       .attributes = std::move(attributes),
       .infer = [](const InferContext& c) -> std::vector<Type> {
         expect_quantized(c, 0);
         expect_dtype(c, 1, DType::s8);
         return {{DType::i32, infer_convolution(c, c.operands.size())}};
       },
       .deployed = true,
       .gradient = no_gradient(integers_only),
       .integer = integer_op(),
       .multiply_accumulates = products_with_weight});
}

}  // namespace stair::ir::ops
