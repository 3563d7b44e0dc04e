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
                  expect_zero_point(c, 1);
                  return {{DType::i32, infer_reduction(c, c.shape(0))}};
                },
                .check_data = [](const DataContext& c) { check_zero_point(c, 1, 0); },
                .deployed = true,
                .gradient = no_gradient(integers_only),
                .integer = sums_integers({{0, 1}}, reduced_count),
                .channels_last = OpSchema::ChannelsLast{.attributes = moved_axes}});
}

}  // namespace stair::ir::ops
