#include "ir/estimator.h"
#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {
namespace {

std::vector<ValueId> by_x_and_scale(GradientContext& g) {
  const Attributes& a = g.attributes();
  const std::vector<ValueId> operands{g.gradient(), g.operand(0), g.operand(1), g.operand(2)};
  Attributes range{{"lo", a.at("lo")}, {"hi", a.at("hi")}, {"axis", a.at("axis")}};
  std::vector<ValueId> gradients(3, absent);
  if (g.needs(0)) gradients[0] = straight_through(g, [&] { return g.emit("clipped_gradient", operands, range); });
  range.set("factor", a.at("scale_gradient"));
  if (g.needs(1)) gradients[1] = g.emit("step_gradient", operands, range);
  return gradients;
}

}  // namespace

void fake_quantize(OpRegistry& registry);

void fake_quantize_learned(OpRegistry& registry) {
  OpRegistry plain;
  fake_quantize(plain);
  OpSchema learned = plain.named("fake_quantize", "op");
  learned.name = "fake_quantize_learned";
  learned.summary = "N-FAKE with a scale that is trained, too (N-LSQ)";
  learned.attributes.push_back({"scale_gradient", "factor on the gradient by the scale (Esser 2020, section 2.2)", 1.0, false, above(0)});
  learned.gradient = gradient(by_x_and_scale);
  registry.add(learned);
  registry.add(of_backward(
      {.name = "step_gradient",
       .summary = "N-LSQ: factor * sum(dy * d): d is round(t) - t for t = x / s within [lo - z, hi - z], else the nearer of the two "
                  "(Esser 2020, equation 3)",
       .operands = {{"dy", "gradient by y"},
                    {"x", "what was quantized, of the type of dy"},
                    {"scale", "s > 0, [1] or [C] along axis"},
                    {"zero_point", "z, i32[1]"}},
       .results = {{"dscale", "gradient by the scale, of its type"}},
       .attributes =
           range_attributes({{"axis", "channel axis of the scales", std::int64_t{0}}, {"factor", "on the sum", 1.0, false, above(0)}}),
       .infer = [](const InferContext& c) -> std::vector<Type> {
         quantized_dtype(c);
         expect_per_channel(c, 2, axis_of(c, c.shape(0).size()), c.operand(0).dtype);
         expect_zero_point(c, 3);
         same_floats(c, 1);
         return {c.operand(2)};
       },
       .check_data = [](const DataContext& c) { check_quantizer(c, 3); }}));
}

}  // namespace stair::ir::ops
