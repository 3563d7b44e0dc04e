#include <fmt/format.h>

#include "ir/ops/loss.h"

namespace stair::ir::ops {
namespace {

std::vector<Type> infer_weighted_sum(const InferContext& c) {
  const std::vector<double>& weights = c.attributes.numbers("weights");
  c.expect(weights.size() == c.operands.size(),
           fmt::format("weights has {} numbers, expected one for each of {} operands", weights.size(), c.operands.size()));
  for (std::size_t i = 0; i < c.operands.size(); ++i) {
    c.expect(c.operand(i) == Type{c.operand(0).dtype, {}},
             fmt::format("operand {} is {}, expected the scalar {}", i, to_string(c.operand(i)), to_string(Type{c.operand(0).dtype, {}})));
  }
  return same_as_first_float(c);
}

std::vector<ValueId> weighted_sum_backward(GradientContext& g) {
  const std::vector<double> weights = g.attributes().numbers("weights");
  std::vector<ValueId> gradients(g.operand_count(), absent);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (g.needs(i)) gradients[i] = g.emit("weighted_sum", {g.gradient()}, {{"weights", std::vector<double>{weights[i]}}});
  }
  return gradients;
}

}  // namespace

// Shards share it as they share its operands: the mean of sums is the sum of means.
void weighted_sum(OpRegistry& registry) {
  registry.add({.name = "weighted_sum",
                .summary = "the sum of losses times their weights",
                .operands = {{"losses", "scalars, each a mean over the batch", false, true}},
                .results = loss_result(),
                .attributes =
                    {{.name = "weights", .doc = "one an operand", .fallback = std::vector<double>(), .required = true, .bounds = above(0)}},
                .infer = infer_weighted_sum,
                .gradient = gradient(weighted_sum_backward),
                .integer = no_integer_form(loss_only)});
}

}  // namespace stair::ir::ops
