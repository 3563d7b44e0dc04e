#include "ir/ops/common.h"

namespace stair::ir::ops {

void clamp_range(OpRegistry& registry) {
  registry.add(
      on_parameters({.name = "clamp_range",
                     .summary = "[lo', hi'] of a fused clamp: a bound quantizes to z + round(bound / s), within [lo, hi] (N-REQ-FLOAT)",
                     .operands = {{"scale", "s_y, f32[1]"}, {"zero_point", "z_y, i32[1]"}},
                     .results = {quantized_result("range", "i32[2]")},
                     .attributes = range_attributes({{"clamp", "[low] or [low, high], in real values", std::vector<double>{}, true}}),
                     .infer = [](const InferContext& c) -> std::vector<Type> {
                       expect_type(c, 0, {DType::f32, {1}});
                       expect_zero_point(c, 1);
                       quantized_dtype(c);
                       expect_clamp(c, 1);
                       return {{DType::i32, {2}}};
                     },
                     .check_data = [](const DataContext& c) { check_quantizer(c, 1); }},
                    simulated_instead));
}

}  // namespace stair::ir::ops
