#include "ir/ops/dimensions.h"

namespace stair::ir::ops {
namespace {

std::vector<Type> infer_fake_quantize(const InferContext& c, std::size_t scale) {
  quantized_dtype(c);
  expect_per_channel(c, scale, axis_of(c, c.shape(0).size()), c.operand(0).dtype);
  expect_zero_point(c, scale + 1);
  return same_floats(c, scale - 1);
}

// The straight-through estimator: the derivative of its declared surrogate, the identity ("plain": Hinton 2012, Courbariaux 2015) or the
// clamp to the range ("clipped": Jacob 2017, section 3).
std::vector<ValueId> straight_through(GradientContext& g) {
  if (g.attributes().text("estimator") == "plain") return {g.gradient()};
  return {g.emit("fake_quantize_grad", {g.gradient(), g.operand(0), g.operand(1), g.operand(2)},
                 {{"lo", g.attributes().at("lo")}, {"hi", g.attributes().at("hi")}, {"axis", g.attributes().at("axis")}})};
}

}  // namespace

void fake_quantize(OpRegistry& registry) {
  registry.add({.name = "fake_quantize",
                .summary = "N-FAKE: dequantize(quantize(x)), with the straight-through estimator as its gradient",
                .operands = {{"x", "floats"}, {"scale", "s > 0, [1] or [C] along axis"}, {"zero_point", "z, i32[1]"}},
                .results = {{"y", "of the type of x"}},
                .attributes = range_attributes({{"axis", "channel axis of the scales", std::int64_t{0}},
                                                {"estimator",
                                                 "'clipped' (gradient 0 outside the range) or 'plain' (identity)",
                                                 std::string("clipped"),
                                                 false,
                                                 {},
                                                 {"clipped", "plain"}},
                                                {"backward",
                                                 "what gradient rules of readers multiply by: the 'quantized' value, or the 'latent' x",
                                                 std::string("quantized"),
                                                 false,
                                                 {},
                                                 {"quantized", "latent"}}}),
                .infer = [](const InferContext& c) { return infer_fake_quantize(c, 1); },
                .check_data = [](const DataContext& c) { check_quantizer(c, 2); },
                .gradient = gradient(straight_through),
                .integer = integer_op(),
                .dimensions = each_element_of_first});
  registry.add({.name = "fake_quantize_grad",
                .summary = "dy where lo - z <= x / s <= hi - z, else 0: the derivative of the clamp",
                .operands = {{"dy", "gradient by y"}, {"x", "what was quantized"}, {"scale", "s"}, {"zero_point", "z"}},
                .results = {{"dx", "gradient by x"}},
                .attributes = range_attributes({{"axis", "channel axis of the scales", std::int64_t{0}}}),
                .infer = [](const InferContext& c) { return infer_fake_quantize(c, 2); },
                .check_data = [](const DataContext& c) { check_quantizer(c, 3); },
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only),
                .in_place = {0}});
}

}  // namespace stair::ir::ops
