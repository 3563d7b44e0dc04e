#include "ir/ops/common.h"

namespace stair::ir::ops {

void range_mask(OpRegistry& registry) {
  registry.add({.name = "range_mask",
                .summary = "a bit for each x, where lo <= z + round(x / s) <= hi and x lies inside of the clamp: what the gradients of a "
                           "quantizer and of the activation before it ask of x",
                .operands = {{"x", "floats"}, {"scale", "s > 0, [1] or [C] along axis"}, {"zero_point", "z, i32[1]"}},
                .results = {{"mask", "u8, 8 elements a byte, the first in the lowest bit; the last byte is filled up with 0"}},
                .attributes = {{"lo", "least integer", std::int64_t{0}, true},
                               {"hi", "largest integer", std::int64_t{255}, true},
                               {"axis", "channel axis of the scales", std::int64_t{0}},
                               {"clamp", "[], [low] or [low, high]: the bit is set only where low < x < high", std::vector<double>{}}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  quantized_dtype(c);
                  expect_per_channel(c, 1, axis_of(c, c.shape(0).size()));
                  expect_dtype(c, 2, DType::i32);
                  const std::size_t bounds = c.attributes.numbers("clamp").size();
                  c.expect(bounds <= 2, std::to_string(bounds) + " bounds, expected [], [low] or [low, high]");
                  return {{DType::u8, mask_shape(c.shape(0))}};
                },
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only)});
}

}  // namespace stair::ir::ops
