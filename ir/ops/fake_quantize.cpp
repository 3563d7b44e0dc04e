#include "ir/estimator.h"
#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {
namespace {

std::vector<ValueId> pass_through(GradientContext& g) {
  return {straight_through(g, [&] {
    return g.emit("clipped_gradient", {g.gradient(), g.operand(0), g.operand(1), g.operand(2)},
                  {{"lo", g.attributes().at("lo")}, {"hi", g.attributes().at("hi")}, {"axis", g.attributes().at("axis")}});
  })};
}

Simulated quantized(const RewriteContext& c) {
  const Attributes& a = c.node.attributes;
  const ValueId q = c.emit("quantize", c.operands, "q", {{"lo", a.at("lo")}, {"hi", a.at("hi")}, {"axis", a.at("axis")}});
  return {q, c.operands[1], c.operands[2], a.integer("lo"), a.integer("hi")};
}

}  // namespace

void fake_quantize(OpRegistry& registry) {
  registry.add({.name = "fake_quantize",
                .summary = "N-FAKE: dequantize(quantize(x)), with the straight-through estimator as its gradient",
                .operands = {{"x", "floats"}, {"scale", "s > 0, [1] or [C] along axis"}, {"zero_point", "z, i32[1]"}},
                .results = {{"y", "of the type of x"}},
                .attributes = with_estimator(range_attributes({{"axis", "channel axis of the scales", std::int64_t{0}}})),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  quantized_dtype(c);
                  expect_per_channel(c, 1, axis_of(c, c.shape(0).size()), c.operand(0).dtype);
                  expect_zero_point(c, 2);
                  return same_as_first_float(c);
                },
                .check_data = [](const DataContext& c) { check_quantizer(c, 2); },
                .gradient = gradient(pass_through),
                .integer = simulates(quantized),
                .dimensions = each_element_of_first});
}

}  // namespace stair::ir::ops
