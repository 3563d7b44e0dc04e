#include "ir/ops/requantization.h"

namespace stair::ir::ops {

void requantize(OpRegistry& registry) {
  registry.add({.name = "requantize",
                .summary = "N-REQ-FLOAT: z + round(clamp(float(acc + b) * m, lo - z, hi - z))",
                .operands = {{"acc", "i32 sums"},
                             {"multiplier", "m = s_acc / s_y, f32[1] or [C]"},
                             {"zero_point", "z, i32[1]"},
                             {"bias", bias_doc, true},
                             {"range", range_doc, true}},
                .results = {{"q", "u8 where lo >= 0, else s8"}},
                .attributes = requantize_attributes(),
                .infer = [](const InferContext& c) { return infer_requantize(c, 1); },
                .deployed = true,
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
}

}  // namespace stair::ir::ops
