#include "ir/ops/loss.h"

namespace stair::ir::ops {

void mean_squared_error(OpRegistry& registry) {
  registry.add({.name = "mean_squared_error",
                .summary = "mean over all elements of (x - target)^2",
                .operands = {{"x", "floats"}, {"target", "of the same shape"}},
                .results = loss_result(),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_floats(c, 1);
                  return {{c.operand(0).dtype, {}}};
                },
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit("mean_squared_error_grad", {g.gradient(), g.operand(0), g.operand(1)}), absent};
                }),
                .integer = no_integer_form(loss_only)});
  registry.add(of_backward({.name = "mean_squared_error_grad",
                            .summary = "2 (x - target) * dloss / count",
                            .operands = {{"dloss", "scalar"}, {"x", "floats"}, {"target", "of the same shape"}},
                            .results = {{"dx", "of the shape of x"}},
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              expect_operand(c, 1, is_float(c.operand(1).dtype), "floats");
                              expect_type(c, 0, {c.operand(1).dtype, {}});
                              expect_type(c, 2, c.operand(1));
                              return {c.operand(1)};
                            }}));
}

}  // namespace stair::ir::ops
