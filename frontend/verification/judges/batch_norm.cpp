#include "frontend/verification/op_judge.h"

// As the products and sums that they are, 8 roundings.

namespace stair::verification::judges {
namespace {

using ir::ValueId;

// x * factor + shift a channel; size and error of both.
ValueId bound_of_affine(BoundedNode& n, ValueId factor, ValueId factor_error, ValueId shift, ValueId shift_error) {
  const ValueId slope = n.sum(n.times(factor, 8 * float_unit), factor_error);
  const ValueId offset = n.sum(n.times(shift, 8 * float_unit), shift_error);
  const ValueId bound = n.e() == ir::absent ? n.e() : n.emit("channel_affine", {n.e(), factor});
  if (slope == ir::absent && offset == ir::absent) return n.sum(bound, n.times(n.most(), 8 * float_unit));
  const ValueId x_size = slope == ir::absent ? n.times(n.most(), 8 * float_unit) : n.most();
  return n.sum(bound, n.emit("channel_affine", {x_size, slope, offset}));
}

ValueId bound_of_norm(BoundedNode& n) {
  const ValueId deviation = n.emit("standard_deviation", {n.x(4)}, {{"eps", n.node().attributes.at("eps")}});
  const ValueId factor = n.quotient(n.size(1), deviation);
  return bound_of_affine(n, factor, ir::absent, n.sum(n.product(n.size(3), factor), n.size(2)), ir::absent);
}

ValueId bound_of_deviation(BoundedNode& n) {
  return n.sum(n.quotient(n.e(), n.y()), n.times(n.y(), 4 * float_unit));
}

// gamma / sqrt(var + eps), and beta - mean * that, with the bounds of these operations.
std::pair<Bounded, Bounded> factor_and_shift(ir::Graph& graph, const ir::Node& node, const std::vector<Bounded>& of) {
  ir::Graph scratch;
  const ir::Type type{ir::DType::f32, graph.type(of[1].value).shape};
  std::vector<ValueId> s;
  for (const char* name : {"gamma", "beta", "mean", "var"}) s.push_back(scratch.add_input(name, type));
  const auto append = [&](const char* op, std::vector<ValueId> operands, const std::vector<Bounded>& bounded, const ir::Attributes& a) {
    const ir::Node copy = scratch.add(op, std::move(operands), a);
    return std::pair{copy.results.front(), append_bounded(graph, scratch, copy, bounded)};
  };
  const auto [deviation_id, deviation] = append("standard_deviation", {s[3]}, {of[4]}, {{"eps", node.attributes.at("eps")}});
  const auto [factor_id, factor] = append("div", {s[0], deviation_id}, {of[1], deviation}, {});
  const auto [moved_id, moved] = append("mul", {s[2], factor_id}, {of[3], factor}, {});
  const Bounded shift = append("sub", {s[1], moved_id}, {of[2], moved}, {}).second;
  return {factor, shift};
}

}  // namespace

void batch_norm(OpJudgeRegistry& registry) {
  registry.add({.name = "standard_deviation", .bound = bound_of_deviation});
  registry.add(
      {.name = "channel_affine", .bound = [](BoundedNode& n) { return bound_of_affine(n, n.size(1), n.e(1), n.size(2), n.e(2)); }});
  registry.add({.name = "batch_norm_inference", .bound = bound_of_norm, .affine = factor_and_shift});
}

}  // namespace stair::verification::judges
