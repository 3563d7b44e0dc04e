#include "ir/ops/common.h"

namespace stair::ir::ops {

void average_multiplier(OpRegistry& registry) {
  registry.add(on_parameters({.name = "average_multiplier",
                              .summary = "N-AVG: s_x / (s_y * float(count))",
                              .operands = {{"x_scale", "s_x, f32[1]"}, {"y_scale", "s_y, f32[1]"}},
                              .results = {{"multiplier", "f32[1]"}},
                              .attributes = {{"count", "elements averaged", std::int64_t{1}, true, at_least(1)}},
                              .infer = [](const InferContext& c) -> std::vector<Type> {
                                for (const std::size_t scale : {0U, 1U}) expect_type(c, scale, {DType::f32, {1}});
                                return {{DType::f32, {1}}};
                              }},
                             simulated_instead));
}

}  // namespace stair::ir::ops
