#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"
#include "ir/ops/initializers.h"

namespace stair::ir::ops {

void prelu(OpRegistry& registry) {
  registry.add({.name = "prelu",
                .summary = "x where x > 0, else slope x with a learned slope a channel (He et al. 2015)",
                .operands = {{"x", "floats, channels along dimension 1"}, {"slope", "[C], or [1]"}},
                .results = {{"y", "of the type of x"}},
                .infer =
                    [](const InferContext& c) {
                      expect_per_channel(c, 1, 1, c.operand(0).dtype);
                      return same_as_first_float(c);
                    },
                .deployed = true,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return g.emit_all("prelu_grad", {g.gradient(), g.operand(0), g.operand(1)});
                }),
                .integer = no_integer_form("its slope is learned a channel: no function of one integer; runs on dequantized floats"),
                .dimensions = each_element_of_first,
                .layer = OpSchema::Layer{
                    .attributes = {{"shared", "one slope for all channels", false}},
                    .parameters = {{.operand = "slope",
                                    .type = [](const Attributes& layer, const Shape& x) -> Type {
                                      return {DType::f32, {layer.boolean("shared") ? 1 : x[1]}};
                                    },
                                    .initializer = [](const Attributes&, const Shape&) { return constant_initializer(0.25); }}}}});
  registry.add(of_backward({.name = "prelu_grad",
                            .summary = "gradients of prelu: dy where x > 0, else slope dy; x dy summed where x <= 0",
                            .operands = {{"dy", "gradient by y"}, {"x", "its operand"}, {"slope", "[C], or [1]"}},
                            .results = {{"dx", "of the type of x"}, {"dslope", "of the type of slope"}},
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              same_floats(c, 1);
                              expect_per_channel(c, 2, 1, c.operand(0).dtype);
                              return {c.operand(0), c.operand(2)};
                            }}));
}

}  // namespace stair::ir::ops
