#include "ir/estimator.h"
#include "ir/ops/binary.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

void fake_binarize(OpRegistry& registry) {
  registry.add({.name = "fake_binarize",
                .summary = "binarize as floats, with the straight-through estimator as its gradient",
                .operands = binarize_operands(),
                .results = {{"y", "-1 or +1, of the type of x"}},
                .attributes = with_estimator(binarize_attributes(), "plain"),
                .infer =
                    [](const InferContext& c) {
                      check_binarize(c);
                      return same_as_first_float(c);
                    },
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {straight_through(g, [&] { return g.emit("fake_binarize_grad", {g.gradient(), g.operand(0)}); })};
                }),
                .integer = simulates([](const RewriteContext& c) {
                  const Attributes& a = c.node.attributes;
                  const ValueId q = c.emit("binarize", c.operands, "q",
                                           {{"stochastic", a.at("stochastic")}, {"seed", a.at("seed")}, {"stream", a.at("stream")}});
                  // +1 and -1 stand for themselves.
                  const ValueId one = c.emit("constant", {}, "scale", {{"value", 1.0}});
                  const ValueId zero = c.emit("constant", {}, "zero_point", {{"dtype", std::string("i32")}});
                  return Simulated{q, one, zero, -1, 1};
                }),
                .dimensions = each_element_of_first});
  registry.add(of_backward({.name = "fake_binarize_grad",
                            .summary = "dy where |x| <= 1, else 0: the derivative of hard tanh",
                            .operands = {{"dy", "gradient by y"}, {"x", "latent weights"}},
                            .results = {{"dx", "gradient by x"}},
                            .infer = [](const InferContext& c) { return same_floats(c, 1); },
                            .in_place = {0}}));
}

}  // namespace stair::ir::ops
