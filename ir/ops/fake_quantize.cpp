#include "ir/ops/dimensions.h"

namespace stair::ir::ops {
namespace {

// The straight-through estimator: the derivative of its declared surrogate, the identity ("plain": Hinton 2012, Courbariaux 2015) or the
// clamp to the range ("clipped": Jacob 2017, section 3; N-STE).
std::vector<ValueId> straight_through(GradientContext& g) {
  if (g.attributes().text("estimator") == "plain") return {g.gradient()};
  return {g.emit("clipped_gradient", {g.gradient(), g.operand(0), g.operand(1), g.operand(2)},
                 {{"lo", g.attributes().at("lo")}, {"hi", g.attributes().at("hi")}, {"axis", g.attributes().at("axis")}})};
}

}  // namespace

void fake_quantize(OpRegistry& registry) {
  registry.add(
      {.name = "fake_quantize",
       .summary = "N-FAKE: dequantize(quantize(x)), with the straight-through estimator as its gradient",
       .operands = {{"x", "floats"}, {"scale", "s > 0, [1] or [C] along axis"}, {"zero_point", "z, i32[1]"}},
       .results = {{"y", "of the type of x"}},
       .attributes = {{"lo", "least integer", std::int64_t{0}, true},
                      {"hi", "largest integer", std::int64_t{255}, true},
                      {"axis", "channel axis of the scales", std::int64_t{0}},
                      {"estimator", "'clipped' (gradient 0 outside the range) or 'plain' (identity)", std::string("clipped")},
                      {"backward", "what gradient rules of readers multiply by: the 'quantized' value, or the 'latent' x",
                       std::string("quantized")}},
       .infer =
           [](const InferContext& c) {
             quantized_dtype(c);
             const std::string& estimator = c.attributes.text("estimator");
             c.expect(estimator == "clipped" || estimator == "plain", "estimator is '" + estimator + "', expected 'clipped' or 'plain'");
             const std::string& backward = c.attributes.text("backward");
             c.expect(backward == "quantized" || backward == "latent", "backward is '" + backward + "', expected 'quantized' or 'latent'");
             expect_per_channel(c, 1, axis_of(c, c.shape(0).size()));
             expect_dtype(c, 2, DType::i32);
             return same_as_first_float(c);
           },
       .gradient = gradient(straight_through),
       .integer = integer_op(),
       .dimensions = each_element_of_first});
}

}  // namespace stair::ir::ops
