#include "ir/ops/matrix.h"

namespace stair::ir::ops {

void matmul_integer(OpRegistry& registry) {
  registry.add(
      {.name = "matmul_integer",
       .summary = "N-ACC: sum over k of (a[..., m, k] - z_a) * (b[..., k, n] - z_b), exact in int32",
       .operands = {{"a", "u8 or s8 [..., M, K]"}, {"b", "u8 or s8 [..., K, N]"}, {"a_zero_point", "i32[1]"}, {"b_zero_point", "i32[1]"}},
       .results = {{"acc", "i32 [..., M, N]"}},
       .attributes = matmul_attributes(),
       .infer = [](const InferContext& c) -> std::vector<Type> {
         expect_quantized(c, 0);
         expect_quantized(c, 1);
         expect_zero_point(c, 2);
         expect_zero_point(c, 3);
         return {{DType::i32, infer_matmul(c)}};
       },
       .check_data =
           [](const DataContext& c) {
             check_zero_point(c, 2, 0);
             check_zero_point(c, 3, 1);
           },
       .deployed = true,
       .gradient = no_gradient(integers_only),
       .integer = sums_integers({{0, 2}, {1, 3}}, summed_by_matmul),
       .multiply_accumulates = products_of_matrices});
}

}  // namespace stair::ir::ops
