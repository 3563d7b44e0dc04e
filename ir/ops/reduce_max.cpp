#include "ir/ops/reduction.h"

namespace stair::ir::ops {

void reduce_max(OpRegistry& registry) {
  registry.add({.name = "reduce_max",
                .summary = "largest over the axes; the gradient goes to the first of equals",
                .operands = {{"x", "floats, u8 or s8"}},
                .results = {{"y", "without the axes, or with 1 in their place"}},
                .attributes = reduction_attributes(),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_ordered(c, 0);
                  return {{c.operand(0).dtype, infer_reduction(c, c.shape(0))}};
                },
                .deployed = true,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit("reduce_max_grad", {g.gradient(), g.operand(0)}, g.attributes())};
                }),
                .integer = moves(),
                .dimensions = beside_reduced,
                .layer = OpSchema::Layer{}});
  registry.add(of_backward({.name = "reduce_max_grad",
                            .summary = "dy goes to the first of the largest",
                            .operands = {{"dy", "gradient by y"}, {"x", "its operand"}},
                            .results = {{"dx", "of the shape of x"}},
                            .attributes = reduction_attributes(),
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              expect_operand(c, 1, is_float(c.operand(1).dtype), "floats");
                              expect_type(c, 0, {c.operand(1).dtype, infer_reduction(c, c.shape(1))});
                              return {c.operand(1)};
                            }}));
}

}  // namespace stair::ir::ops
