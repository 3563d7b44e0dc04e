#include "ir/ops/common.h"

namespace stair::ir::ops {
namespace {

const char* const range_doc = "i32[2], narrows [lo, hi]: a fused clamp";
const char* const bias_doc = "[C]; i32 is added to the sum, f32 (in steps of the result: b / s_y) after the rescale (N-BIAS)";

std::vector<AttributeSpec> attributes() {
  return {{"lo", "least integer", std::int64_t{0}, true},
          {"hi", "largest integer", std::int64_t{255}, true},
          {"axis", "channel axis", std::int64_t{1}}};
}

// acc, then `parameters` per-channel operands, zero point, bias, range.
std::vector<Type> infer(const InferContext& c, std::size_t parameters) {
  expect_dtype(c, 0, DType::i32);
  const std::size_t axis = axis_of(c, c.shape(0).size());
  for (std::size_t i = 1; i <= parameters; ++i) expect_per_channel(c, i, axis);
  expect_dtype(c, parameters + 1, DType::i32);
  expect_per_channel(c, parameters + 2, axis);
  if (c.operands[parameters + 3] != nullptr) {
    c.expect(c.operand(parameters + 3) == Type{DType::i32, {2}}, "range is " + to_string(c.operand(parameters + 3)) + ", expected i32[2]");
  }
  return {{quantized_dtype(c), c.shape(0)}};
}

}  // namespace

void requantize(OpRegistry& registry) {
  registry.add({.name = "requantize",
                .summary = "N-REQ-FLOAT: z + round(clamp(float(acc + b) * m, lo - z, hi - z))",
                .operands = {{"acc", "i32 sums"},
                             {"multiplier", "m = s_acc / s_y, f32[1] or [C]"},
                             {"zero_point", "z, i32[1]"},
                             {"bias", bias_doc, true},
                             {"range", range_doc, true}},
                .results = {{"q", "u8 where lo >= 0, else s8"}},
                .attributes = attributes(),
                .infer = [](const InferContext& c) { return infer(c, 1); },
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
  registry.add(
      {.name = "requantize_fixed",
       .summary = "N-REQ-FIXED: z + the sum times mantissa * 2^(shift - 31), rounded twice, clamped (Jacob 2017, equations 5 and 6)",
       .operands = {{"acc", "i32 sums"},
                    {"mantissa", "i32[1] or [C]"},
                    {"shift", "i32[1] or [C]"},
                    {"zero_point", "z, i32[1]"},
                    {"bias", bias_doc, true},
                    {"range", range_doc, true}},
       .results = {{"q", "u8 where lo >= 0, else s8"}},
       .attributes = attributes(),
       .infer = [](const InferContext& c) { return infer(c, 2); },
       .gradient = no_gradient(integers_only),
       .integer = integer_op()});
}

}  // namespace stair::ir::ops
