#include "ir/ops/loss.h"

namespace stair::ir::ops {

void squared_hinge(OpRegistry& registry) {
  registry.add({.name = "squared_hinge",
                .summary = "mean over the batch of sum over c of max(0, 1 - t[c] x[c])^2, t = +1 for the label, else -1",
                .operands = loss_operands(),
                .results = loss_result(),
                .infer = infer_classes,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit("squared_hinge_grad", {g.gradient(), g.operand(0), g.operand(1)}), absent};
                }),
                .integer = no_integer_form(loss_only)});
  registry.add(of_backward({.name = "squared_hinge_grad",
                            .summary = "-2 t[c] max(0, 1 - t[c] x[c]) * dloss / N",
                            .operands = loss_gradient_operands(),
                            .results = {{"dlogits", "[N, classes]"}},
                            .infer = infer_classes_gradient}));
}

}  // namespace stair::ir::ops
