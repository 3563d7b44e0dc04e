#include "ir/ops/reduction.h"

namespace stair::ir::ops {

void reduce_max(OpRegistry& registry) {
  registry.add({.name = "reduce_max",
                .summary = "largest over the axes; the gradient goes to the first of equals",
                .operands = {{"x", "floats, u8 or s8"}},
                .results = {{"y", "without the axes, or with 1 in their place"}},
                .attributes = reduction_attributes(),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  return {{c.operand(0).dtype, infer_reduction(c)}};
                },
                .deployed = true,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit("reduce_max_grad", {g.gradient(), g.operand(0)}, g.attributes())};
                }),
                .integer = moves(),
                .dimensions = beside_reduced,
                .layer = OpSchema::Layer{}});
  registry.add({.name = "reduce_max_grad",
                .summary = "dy goes to the first of the largest",
                .operands = {{"dy", "gradient by y"}, {"x", "its operand"}},
                .results = {{"dx", "of the shape of x"}},
                .attributes = reduction_attributes(),
                .infer = [](const InferContext& c) -> std::vector<Type> { return {c.operand(1)}; },
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only)});
}

}  // namespace stair::ir::ops
