#include "ir/ops/initializers.h"
#include "ir/ops/normalization.h"

namespace stair::ir::ops {
namespace {

const AttributeSpec eps{"eps", "added to the variance", 1e-5, false, above(0)};

OpSchema::Layer::Parameter channels(const char* operand, StateRole role, double value, const char* update = "") {
  return {.operand = operand,
          .role = role,
          .type = [](const Attributes&, const Shape& x) -> Type {
            return {DType::f32, {x[1]}};
          },
          .initializer = [value](const Attributes&, const Shape&) { return constant_initializer(value); },
          .update_result = update};
}

// N-BN-WEIGHT with statistics m, v of the batch: factor = gamma / sqrt(var + eps) for the weights, and
// sqrt(var + eps) / sqrt(v + eps) behind them, the correction of Krishnamoorthi 2018 (section 3.2.2), which keeps the jitter of batch
// statistics out of the weights. The running statistics follow m and v.
ChannelAffine corrected(const RewriteContext& c, ValueId bias, const std::function<ValueId()>& layer) {
  const ValueId deviation = norm_deviation(c, c.operands[norm_variance], "std");
  const ValueId factor = norm_factor(c, deviation, "factor");
  const ValueId x = layer();
  const std::vector<ValueId> batch = c.emit_all("batch_statistics", {x}, "statistics");
  const Shape& shape = c.graph.type(x).shape;
  const auto n = static_cast<double>(element_count(shape) / shape[1]);
  const Attribute& momentum = c.node.attributes.at("momentum");
  const ValueId mean = c.emit("exponential_moving_average", {c.operands[norm_mean], batch[0]}, "new_mean", {{"momentum", momentum}});
  const ValueId variance = c.emit("exponential_moving_average", {c.operands[norm_variance], batch[1]}, "new_var",
                                  {{"momentum", momentum}, {"correction", n > 1 ? n / (n - 1) : 1.0}});
  const ValueId batch_deviation = norm_deviation(c, batch[1], "batch_std");
  const ValueId correction = c.emit("div", {deviation, batch_deviation}, "correction");
  const ValueId shift = norm_shift(c, batch[0], bias, norm_factor(c, batch_deviation, "batch_factor"));
  return {factor, correction, shift, {mean, variance}};
}

}  // namespace

void batch_norm(OpRegistry& registry) {
  registry.add(
      {.name = "batch_norm",
       .summary = "training: (x - m) / sqrt(v + eps) * gamma + beta with the batch's mean m and biased variance v a channel; the running "
                  "statistics "
                  "move towards m and the unbiased variance (Ioffe, Szegedy 2015, algorithm 1)",
       .operands =
           {{"x", "[N,C] or [N,C,H,W]"}, {"gamma", "[C]"}, {"beta", "[C]"}, {"mean", "running mean [C]"}, {"var", "running variance [C]"}},
       .results = {{"y", "of the shape of x"},
                   reduced(Reduction::mean, "new_mean", "[C]"),
                   reduced(Reduction::mean, "new_var", "[C]"),
                   {"batch_mean", "[C]"},
                   {"inv_std", "1 / sqrt(v + eps) [C]"}},
       .attributes = {eps,
                      {"momentum", "share of the batch in the running statistics", 0.1, false, {.low = 0, .high = 1, .above_low = true}}},
       .infer = [](const InferContext& c) -> std::vector<Type> {
         expect_channels(c, 1);
         const Type channel = channel_type(c);
         return {c.operand(0), channel, channel, channel, channel};
       },
       .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
         const std::vector<ValueId> d = g.emit_all("batch_norm_grad", {g.gradient(), g.operand(0), g.operand(1), g.result(3), g.result(4)});
         return {d[0], d[1], d[2], absent, absent};
       }),
       .integer = folds(IntegerForm::Kind::normalize, corrected),
       .inference = OpSchema::Inference{"batch_norm_inference", {norm_mean, norm_variance}},
       .dimensions = each_element_of_first,
       .layer = OpSchema::Layer{
           .parameters = {channels("gamma", StateRole::parameter, 1), channels("beta", StateRole::parameter, 0),
                          channels("mean", StateRole::statistic, 0, "new_mean"), channels("var", StateRole::statistic, 1, "new_var")},
           .on_sequences = "batch_norm"}});
  registry.add(
      of_backward({.name = "batch_norm_grad",
                   .summary = "gradients of batch_norm, through the batch's statistics",
                   .operands = {{"dy", "gradient by y"}, {"x", "its operand"}, {"gamma", "[C]"}, {"batch_mean", "[C]"}, {"inv_std", "[C]"}},
                   .results = {{"dx", "of the shape of x"}, {"dgamma", "[C]"}, {"dbeta", "[C]"}},
                   .infer = [](const InferContext& c) -> std::vector<Type> {
                     expect_channels(c, 2);
                     return {c.operand(0), channel_type(c), channel_type(c)};
                   }}));
}

}  // namespace stair::ir::ops
