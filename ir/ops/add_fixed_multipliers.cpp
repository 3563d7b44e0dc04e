#include "ir/ops/common.h"

namespace stair::ir::ops {

void add_fixed_multipliers(OpRegistry& registry) {
  registry.add(on_parameters(
      {.name = "add_fixed_multipliers",
       .summary =
           "multipliers of add_fixed: s_a / (2 max(s_a, s_b)), s_b / (2 max(s_a, s_b)), 2 max(s_a, s_b) / (2^20 s_y) (TFLite's reference "
           "addition)",
       .operands = {{"a_scale", "f32[1]"}, {"b_scale", "f32[1]"}, {"y_scale", "f32[1]"}},
       .results = multiplier_results("i32[3]"),
       .infer = [](const InferContext& c) -> std::vector<Type> {
         for (std::size_t scale = 0; scale < 3; ++scale) expect_type(c, scale, {DType::f32, {1}});
         return {{DType::i32, {3}}, {DType::i32, {3}}};
       }},
      simulated_instead));
}

}  // namespace stair::ir::ops
