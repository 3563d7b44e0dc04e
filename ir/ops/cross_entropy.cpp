#include "ir/ops/loss.h"

namespace stair::ir::ops {

void cross_entropy(OpRegistry& registry) {
  const AttributeSpec smoothing{"label_smoothing", "share of the target spread over all classes (Szegedy 2016, section 7)", 0.0, false,
                                within(0, 1)};
  registry.add({.name = "cross_entropy",
                .summary = "mean over the batch of -sum over c of t[c] * log_softmax(x)[c]",
                .operands = loss_operands(),
                .results = loss_result(),
                .attributes = {smoothing},
                .infer = infer_classes,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit("cross_entropy_grad", {g.gradient(), g.operand(0), g.operand(1)},
                                 {{"label_smoothing", g.attributes().at("label_smoothing")}}),
                          absent};
                }),
                .integer = no_integer_form(loss_only)});
  registry.add(of_backward({.name = "cross_entropy_grad",
                            .summary = "(softmax(x) - t) * dloss / N",
                            .operands = loss_gradient_operands(),
                            .results = {{"dlogits", "[N, classes]"}},
                            .attributes = {smoothing},
                            .infer = infer_classes_gradient}));
}

}  // namespace stair::ir::ops
