#include "ir/ops/normalization.h"

namespace stair::ir::ops {

void channel_affine(OpRegistry& registry) {
  registry.add({.name = "channel_affine",
                .summary = "x * scale[c] + shift[c]: what is left of a folded batch-norm",
                .operands = {{"x", "[N,C] or [N,C,H,W]"}, {"scale", "[C]", true}, {"shift", "[C]", true}},
                .results = {{"y", "of the shape of x"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_channels(c, 1);
                  return {c.operand(0)};
                },
                .deployed = true,
                .gradient = gradient([](GradientContext& g) {
                  std::vector<ValueId> d(g.operand_count(), absent);
                  const std::size_t rank = g.type(g.gradient()).shape.size();
                  const Attributes over_channels{{"axes", rank == 2 ? std::vector<std::int64_t>{0} : std::vector<std::int64_t>{0, 2, 3}}};
                  if (g.needs(0)) d[0] = g.operand(1) == absent ? g.gradient() : g.emit("channel_affine", {g.gradient(), g.operand(1)});
                  if (g.needs(1)) d[1] = g.emit("reduce_sum", {g.emit("mul", {g.gradient(), g.operand(0)})}, over_channels);
                  if (g.needs(2)) d[2] = g.emit("reduce_sum", {g.gradient()}, over_channels);
                  return d;
                }),
                .integer = folds(IntegerForm::Kind::affine),
                .in_place = {0},
                .dimensions = each_element_of_first});
}

}  // namespace stair::ir::ops
