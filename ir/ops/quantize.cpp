#include "ir/ops/common.h"

namespace stair::ir::ops {

void quantize(OpRegistry& registry) {
  registry.add(on_integers({.name = "quantize",
                            .summary = "N-QUANT: z + round(clamp(x / s, lo - z, hi - z)), ties to even; NaN gives lo",
                            .operands = {{"x", "floats"}, {"scale", "s > 0, [1] or [C] along axis"}, {"zero_point", "z, i32[1]"}},
                            .results = {{.name = "q",
                                         .doc = "u8 where lo >= 0, else s8, of the shape of x",
                                         .within = within_range,
                                         .packed_bits =
                                             [](const Attributes& a) {
                                               std::int64_t bits = 1;
                                               while ((std::int64_t{1} << bits) <= a.integer("hi") - a.integer("lo")) ++bits;
                                               return bits;
                                             }}},
                            .attributes = range_attributes({{"axis", "channel axis of the scales", std::int64_t{0}}}),
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              same_as_first_float(c);
                              expect_per_channel(c, 1, axis_of(c, c.shape(0).size()), c.operand(0).dtype);
                              expect_zero_point(c, 2);
                              return {{quantized_dtype(c), c.shape(0)}};
                            },
                            .check_data =
                                [](const DataContext& c) {
                                  check_scale(c, 1);
                                  check_quantizer(c, 2);
                                },
                            .deployed = true}));
}

}  // namespace stair::ir::ops
