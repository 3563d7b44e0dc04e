#include "ir/ops/requantization.h"

namespace stair::ir::ops {

void requantize(OpRegistry& registry) {
  registry.add(on_integers({.name = "requantize",
                            .summary = "N-REQ-FLOAT: z + round(clamp(float(acc + b) * m, lo - z, hi - z))",
                            .operands = {{"acc", "i32 sums"},
                                         {"multiplier", "m = s_acc / s_y, f32[1] or [C]"},
                                         {"zero_point", "z, i32[1]"},
                                         {"bias", bias_doc, true},
                                         {"range", range_doc, true}},
                            .results = {quantized_result("q")},
                            .attributes = requantize_attributes(),
                            .infer = [](const InferContext& c) { return infer_requantize(c, 1, DType::f32); },
                            .check_data =
                                [](const DataContext& c) {
                                  c.expect_reals(1, at_least(0));
                                  check_quantizer(c, 2, 4);
                                  c.expect_reals(3, {});
                                },
                            .deployed = true,
                            .channels_last = OpSchema::ChannelsLast{.attributes = moved_axis}}));
}

}  // namespace stair::ir::ops
