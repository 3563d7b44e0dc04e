#include "ir/ops/layout.h"

namespace stair::ir::ops {

void dequantize(OpRegistry& registry) {
  registry.add(on_integers({.name = "dequantize",
                            .summary = "N-DEQUANT: float(q - z) * s",
                            .operands = {{"q", "u8 or s8"}, {"scale", "s, [1] or [C] along axis"}, {"zero_point", "z, i32[1]"}},
                            .results = {{"x", "floats of the scale's type, of the shape of q"}},
                            .attributes = {{"axis", "channel axis of the scales", std::int64_t{0}}},
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              expect_quantized(c, 0);
                              expect_operand(c, 1, is_float(c.operand(1).dtype), "floats");
                              expect_per_channel(c, 1, axis_of(c, c.shape(0).size()), c.operand(1).dtype);
                              expect_zero_point(c, 2);
                              return {{c.operand(1).dtype, c.shape(0)}};
                            },
                            .check_data =
                                [](const DataContext& c) {
                                  check_scale(c, 1);
                                  check_zero_point(c, 2, 0);
                                },
                            .deployed = true,
                            .channels_last = OpSchema::ChannelsLast{.attributes = moved_axis}}));
}

}  // namespace stair::ir::ops
