#include "ir/ops/normalization.h"

namespace stair::ir::ops {

void batch_norm_inference(OpRegistry& registry) {
  const AttributeSpec added{"eps", "added to the variance", 1e-5, false, above(0)};
  registry.add({.name = "batch_norm_inference",
                .summary = "(x - mean) * (gamma / sqrt(var + eps)) + beta with running statistics",
                .operands = {{"x", "[N,C] or [N,C,H,W]"}, {"gamma", "[C]"}, {"beta", "[C]"}, {"mean", "[C]"}, {"var", "[C]"}},
                .results = {{"y", "of the shape of x"}},
                .attributes = {added},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_channels(c, 1);
                  return {c.operand(0)};
                },
                .deployed = true,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  const std::vector<ValueId> d =
                      g.emit_all("batch_norm_inference_grad", {g.gradient(), g.operand(0), g.operand(1), g.operand(3), g.operand(4)},
                                 {{"eps", g.attributes().at("eps")}});
                  return {d[0], d[1], d[2], absent, absent};
                }),
                .integer = folds(IntegerForm::Kind::normalize,
                                 [](const RewriteContext& c, ValueId bias, const std::function<ValueId()>&) {
                                   const ValueId factor = norm_factor(c, norm_deviation(c, c.operands[norm_variance], "std"), "factor");
                                   return ChannelAffine{.factor = factor, .shift = norm_shift(c, c.operands[norm_mean], bias, factor)};
                                 }),
                .dimensions = each_element_of_first});
  registry.add(of_backward({.name = "batch_norm_inference_grad",
                            .summary = "gradients of batch_norm_inference by x, gamma and beta",
                            .operands = {{"dy", "gradient by y"}, {"x", "its operand"}, {"gamma", "[C]"}, {"mean", "[C]"}, {"var", "[C]"}},
                            .results = {{"dx", "of the shape of x"}, {"dgamma", "[C]"}, {"dbeta", "[C]"}},
                            .attributes = {added},
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              expect_channels(c, 2);
                              return {c.operand(0), channel_type(c), channel_type(c)};
                            }}));
}

}  // namespace stair::ir::ops
