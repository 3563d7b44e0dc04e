#include "ir/ops/common.h"

namespace stair::ir::ops {

void linear_integer(OpRegistry& registry) {
  registry.add({.name = "linear_integer",
                .summary = "N-ACC: sum over k of (x[..., k] - z_x) * w[o, k], exact in int32",
                .operands = {{"x", "u8 or s8 [..., K]"}, {"weight", "s8 [O, K]"}, {"x_zero_point", "i32[1]"}},
                .results = {{"acc", "i32 [..., O]"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_quantized(c, 0);
                  expect_dtype(c, 1, DType::s8);
                  expect_zero_point(c, 2);
                  Shape shape = c.shape(0);
                  c.expect(!shape.empty() && c.shape(1).size() == 2 && c.shape(1)[1] == shape.back(),
                           "x " + to_string(shape) + " and weight " + to_string(c.shape(1)) + " don't fit, expected [..., K] and [O, K]");
                  shape.back() = c.shape(1)[0];
                  return {{DType::i32, shape}};
                },
                .check_data = [](const DataContext& c) { check_zero_point(c, 2, 0); },
                .deployed = true,
                .gradient = no_gradient(integers_only),
                .integer = sums_integers({{0, 2}, {1}}, weights_of_channel),
                .multiply_accumulates = products_with_weight});
}

}  // namespace stair::ir::ops
