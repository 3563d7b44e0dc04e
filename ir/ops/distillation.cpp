#include "ir/ops/loss.h"

namespace stair::ir::ops {
namespace {

std::vector<OperandSpec> operands_of_distillation() {
  std::vector<OperandSpec> operands = logits_and_labels();
  operands.push_back({"teacher", "logits of the same shape"});
  return operands;
}

}  // namespace

void distillation(OpRegistry& registry) {
  const std::vector<AttributeSpec> attributes{
      {"temperature", "T", 1.0, false, above(0)},
      {"share", "a, how much the teacher counts, the labels being the rest", 1.0, false, within(0, 1)}};
  registry.add(
      {.name = "distillation",
       .summary = "mean over the labels of a T^2 KL(softmax(teacher / T) || softmax(x / T)) + (1 - a) cross_entropy(x, label) (Hinton, "
                  "Vinyals, Dean 2015, section 2)",
       .operands = operands_of_distillation(),
       .results = loss_result(),
       .attributes = attributes,
       .infer =
           [](const InferContext& c) {
             expect_type(c, 2, c.operand(0));
             return infer_classes(c);
           },
       .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
         return {g.emit("distillation_grad", {g.gradient(), g.operand(0), g.operand(1), g.operand(2)}, g.attributes()), absent, absent};
       }),
       .integer = no_integer_form(loss_only)});
  std::vector<OperandSpec> operands = operands_of_distillation();
  operands.insert(operands.begin(), {"dloss", "scalar"});
  registry.add(of_backward(
      {.name = "distillation_grad",
       .summary = "(a T (softmax(x / T) - softmax(teacher / T)) + (1 - a) (softmax(x) - t)) * dloss / labels, t the one-hot label",
       .operands = std::move(operands),
       .results = {{"dlogits", "[N, classes, ...]"}},
       .attributes = attributes,
       .infer = [](const InferContext& c) {
         expect_type(c, 3, c.operand(1));
         return infer_classes_gradient(c);
       }}));
}

}  // namespace stair::ir::ops
