#include "ir/ops/move.h"

namespace stair::ir::ops {

void pad_integer(OpRegistry& registry) {
  registry.add(on_integers({.name = "pad_integer",
                            .summary = "N-MOVE: x surrounded by its zero point",
                            .operands = {{"x", "u8 or s8"}, {"x_zero_point", "i32[1]"}},
                            .results = {{"y", "of the element type of x"}},
                            .attributes = {padding_attribute()},
                            .infer =
                                [](const InferContext& c) {
                                  expect_quantized(c, 0);
                                  expect_zero_point(c, 1);
                                  return infer_pad(c);
                                },
                            .check_data = [](const DataContext& c) { check_zero_point(c, 1, 0); },
                            .deployed = true,
                            .channels_last = OpSchema::ChannelsLast{.attributes = [](Attributes& a) {
                              const std::vector<std::int64_t> p = a.integers("padding");
                              a.set("padding", std::vector<std::int64_t>{p[0], p[2], p[3], p[1], p[4], p[6], p[7], p[5]});
                            }}}));
}

}  // namespace stair::ir::ops
