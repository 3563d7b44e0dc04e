#include "ir/ops/common.h"

namespace stair::ir::ops {

void quantize(OpRegistry& registry) {
  registry.add({.name = "quantize",
                .summary = "N-QUANT: z + round(clamp(x / s, lo - z, hi - z)), ties to even; NaN gives lo",
                .operands = {{"x", "floats"}, {"scale", "s > 0, [1] or [C] along axis"}, {"zero_point", "z, i32[1]"}},
                .results = {{"q", "u8 where lo >= 0, else s8, of the shape of x"}},
                .attributes = {{"lo", "least integer", std::int64_t{0}, true},
                               {"hi", "largest integer", std::int64_t{255}, true},
                               {"axis", "channel axis of the scales", std::int64_t{0}}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  expect_per_channel(c, 1, axis_of(c, c.shape(0).size()));
                  expect_dtype(c, 2, DType::i32);
                  return {{quantized_dtype(c), c.shape(0)}};
                },
                .deployed = true,
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
}

}  // namespace stair::ir::ops
