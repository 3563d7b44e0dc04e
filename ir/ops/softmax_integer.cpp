#include "ir/integer_rows.h"
#include "ir/ops/layout.h"

namespace stair::ir::ops {
namespace {

Limits softmax_entries(const Attributes&) {
  return {0, softmax_one};
}

}  // namespace

void softmax_integer(OpRegistry& registry) {
  registry.add(on_integers({.name = "softmax_integer",
                            .summary = "N-SOFTMAX: z + T[max - q] / (s_y sum of T[max - q]) along axis, from a table of integers",
                            .operands = {{"q", "u8 or s8"},
                                         {"table", "T, i32[256]: 2^24 exp(-d s_x)"},
                                         {"mantissa", "i32[1], of 1 / s_y"},
                                         {"shift", "i32[1]"},
                                         {"zero_point", "z, i32[1]"}},
                            .results = {quantized_result("y")},
                            .attributes = range_attributes({{"axis", "negative counts from the end", std::int64_t{-1}}}),
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              expect_quantized(c, 0);
                              axis_of(c, c.shape(0).size());
                              expect_type(c, 1, {DType::i32, {256}});
                              for (const std::size_t i : {2U, 3U}) expect_type(c, i, {DType::i32, {1}});
                              expect_zero_point(c, 4);
                              return {{quantized_dtype(c), c.shape(0)}};
                            },
                            .check_data =
                                [](const DataContext& c) {
                                  c.expect_limits(1, 0, softmax_one);
                                  check_multipliers(c, 2);
                                  check_quantizer(c, 4);
                                },
                            .deployed = true,
                            .channels_last = OpSchema::ChannelsLast{.attributes = moved_axis}}));
  std::vector<OperandSpec> results = multiplier_results("i32[1], of 1 / s_y");
  results.insert(results.begin(), {.name = "table", .doc = "i32[256], entry d of max - q = d", .within = softmax_entries});
  registry.add(on_parameters({.name = "softmax_parameters",
                              .summary = "N-SOFTMAX: the table round(2^24 exp(-d s_x)), and 1 / s_y in fixed point",
                              .operands = {{"x_scale", "s_x, f32[1]"}, {"y_scale", "s_y, f32[1]"}},
                              .results = std::move(results),
                              .infer = [](const InferContext& c) -> std::vector<Type> {
                                for (const std::size_t scale : {0U, 1U}) expect_type(c, scale, {DType::f32, {1}});
                                return {{DType::i32, {256}}, {DType::i32, {1}}, {DType::i32, {1}}};
                              }},
                             simulated_instead));
}

}  // namespace stair::ir::ops
