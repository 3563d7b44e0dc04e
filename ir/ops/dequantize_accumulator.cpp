#include "ir/ops/requantization.h"

namespace stair::ir::ops {

void dequantize_accumulator(OpRegistry& registry) {
  registry.add(on_integers({.name = "dequantize_accumulator",
                            .summary = "N-LOGITS: float(acc + b) * s; a float bias is added after",
                            .operands = {{"acc", "i32 sums"}, {"scale", "s = s_x * s_w, f32[1] or [C]"}, {"bias", "[C], i32 or f32", true}},
                            .results = {{"y", "f32"}},
                            .attributes = {{"axis", "channel axis", std::int64_t{1}}},
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              expect_dtype(c, 0, DType::i32);
                              const std::size_t axis = axis_of(c, c.shape(0).size());
                              expect_per_channel(c, 1, axis, DType::f32);
                              expect_bias(c, 2, axis);
                              return {{DType::f32, c.shape(0)}};
                            },
                            .check_data = [](const DataContext& c) { c.expect_reals(1, {}); },
                            .deployed = true,
                            .channels_last = OpSchema::ChannelsLast{.attributes = moved_axis},
                            .in_place = {0}}));
}

}  // namespace stair::ir::ops
