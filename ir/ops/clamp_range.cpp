#include "ir/ops/common.h"

namespace stair::ir::ops {

void clamp_range(OpRegistry& registry) {
  registry.add({.name = "clamp_range",
                .summary = "[lo', hi'] of a fused clamp: a bound quantizes to z + round(bound / s), within [lo, hi] (N-REQ-FLOAT)",
                .operands = {{"scale", "s_y, f32[1]"}, {"zero_point", "z_y, i32[1]"}},
                .results = {{"range", "i32[2]"}},
                .attributes = {{"lo", "least integer", std::int64_t{0}, true},
                               {"hi", "largest integer", std::int64_t{255}, true},
                               {"clamp", "[low] or [low, high], in real values", std::vector<double>{}, true}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  const std::size_t bounds = c.attributes.numbers("clamp").size();
                  c.expect(bounds == 1 || bounds == 2, std::to_string(bounds) + " bounds, expected [low] or [low, high]");
                  return {{DType::i32, {2}}};
                },
                .gradient = no_gradient(simulated_instead),
                .integer = no_integer_form(on_parameters)});
}

}  // namespace stair::ir::ops
