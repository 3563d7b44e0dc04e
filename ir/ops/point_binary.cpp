#include "ir/ops/point.h"

namespace stair::ir::ops {

void point_binary(OpRegistry& registry) {
  registry.add(on_integers(
      {.name = "point_binary",
       .summary = "N-POINT of two operands: quantize(function(dequantize(a), dequantize(b))), broadcasting",
       .operands = {{"a", "u8 or s8"},
                    {"b", "u8 or s8"},
                    {"a_scale", "f32[1]"},
                    {"a_zero_point", "i32[1]"},
                    {"b_scale", "f32[1]"},
                    {"b_zero_point", "i32[1]"},
                    {"y_scale", "f32[1]"},
                    {"y_zero_point", "i32[1]"},
                    range_operand()},
       .results = {quantized_result("y")},
       .attributes = range_attributes({{"function", "'add', 'sub' or 'mul'", std::string("add"), true, {}, {"add", "sub", "mul"}}}),
       .infer = [](const InferContext& c) -> std::vector<Type> {
         for (const std::size_t scale : {2U, 4U, 6U}) expect_type(c, scale, {DType::f32, {1}});
         return infer_point_binary(c, {3, 5, 7});
       },
       .check_data =
           [](const DataContext& c) {
             for (const std::size_t scale : {2U, 4U, 6U}) check_scale(c, scale);
             check_zero_point(c, 3, 0);
             check_zero_point(c, 5, 1);
             check_quantizer(c, 7, 8);
           },
       .deployed = true,
       .channels_last = OpSchema::ChannelsLast{.images = 2}}));
}

}  // namespace stair::ir::ops
