#include "ir/ops/reduction.h"

namespace stair::ir::ops {

void reduce_sum_integer(OpRegistry& registry) {
  registry.add({.name = "reduce_sum_integer",
                .summary = "N-AVG: sum of q - z_x over the axes, exact in int32",
                .operands = {{"x", "u8 or s8"}, {"x_zero_point", "i32[1]"}},
                .results = {{"acc", "i32"}},
                .attributes = reduction_attributes(),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_quantized(c, 0);
                  return {{DType::i32, infer_reduction(c)}};
                },
                .deployed = true,
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
}

}  // namespace stair::ir::ops
