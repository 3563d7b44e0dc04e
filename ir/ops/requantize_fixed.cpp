#include "ir/ops/requantization.h"

namespace stair::ir::ops {

void requantize_fixed(OpRegistry& registry) {
  registry.add(on_integers(
      {.name = "requantize_fixed",
       .summary = "N-REQ-FIXED: z + the sum times mantissa * 2^(shift - 31), rounded twice, clamped (Jacob 2017, equations 5 and 6)",
       .operands = {{"acc", "i32 sums"},
                    {"mantissa", "i32[1] or [C]"},
                    {"shift", "i32[1] or [C]"},
                    {"zero_point", "z, i32[1]"},
                    {"bias", bias_doc, true},
                    {"range", range_doc, true}},
       .results = {quantized_result("q")},
       .attributes = requantize_attributes(),
       .infer = [](const InferContext& c) { return infer_requantize(c, 2, DType::i32); },
       .check_data =
           [](const DataContext& c) {
             check_multipliers(c, 1);
             check_quantizer(c, 3, 5);
             c.expect_reals(4, {});
           },
       .deployed = true,
       .channels_last = OpSchema::ChannelsLast{.attributes = moved_axis}}));
}

}  // namespace stair::ir::ops
