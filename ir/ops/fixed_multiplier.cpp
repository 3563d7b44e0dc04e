#include "ir/ops/common.h"

namespace stair::ir::ops {

void fixed_multiplier(OpRegistry& registry) {
  registry.add(on_parameters({.name = "fixed_multiplier",
                              .summary = "N-REQ-FIXED: m as mantissa * 2^(shift - 31), mantissa in [2^30, 2^31) (Jacob 2017, equation 6)",
                              .operands = {{"multiplier", "m >= 0, f32[n]"}},
                              .results = multiplier_results("i32[n]"),
                              .infer = [](const InferContext& c) -> std::vector<Type> {
                                expect_operand(c, 0, c.operand(0).dtype == DType::f32 && c.shape(0).size() == 1, "f32[n]");
                                return {{DType::i32, c.shape(0)}, {DType::i32, c.shape(0)}};
                              }},
                             simulated_instead));
}

}  // namespace stair::ir::ops
