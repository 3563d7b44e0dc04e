#include "ir/ops/common.h"

namespace stair::ir::ops {
namespace {

const char* const loss_only = "losses are computed in float";

std::vector<Type> infer_classes(const InferContext& c) {
  same_as_first_float(c);
  const Shape& x = c.shape(0);
  c.expect(x.size() == 2, "logits are " + to_string(x) + ", expected [N, classes]");
  c.expect(c.operand(1) == Type{DType::i32, {x[0]}},
           "labels are " + to_string(c.operand(1)) + ", expected " + to_string(Type{DType::i32, {x[0]}}));
  return {{c.operand(0).dtype, {}}};
}

// The shared shape of a loss's gradient op: dloss, then the loss's operands.
std::vector<Type> like_second(const InferContext& c) {
  return {c.operand(1)};
}

}  // namespace

void losses(OpRegistry& registry) {
  const std::vector<OperandSpec> operands{{"logits", "[N, classes]"}, {"labels", "i32[N]"}};
  const std::vector<OperandSpec> gradient_operands{{"dloss", "scalar"}, {"logits", "[N, classes]"}, {"labels", "i32[N]"}};
  const std::vector<OperandSpec> loss{{"loss", "scalar"}};
  const AttributeSpec smoothing{"label_smoothing", "share of the target spread over all classes (Szegedy 2016, section 7)", 0.0};
  registry.add({.name = "cross_entropy",
                .summary = "mean over the batch of -sum over c of t[c] * log_softmax(x)[c]",
                .operands = operands,
                .results = loss,
                .attributes = {smoothing},
                .infer = infer_classes,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit("cross_entropy_grad", {g.gradient(), g.operand(0), g.operand(1)},
                                 {{"label_smoothing", g.attributes().at("label_smoothing")}}),
                          absent};
                }),
                .integer = no_integer_form(loss_only)});
  registry.add({.name = "cross_entropy_grad",
                .summary = "(softmax(x) - t) * dloss / N",
                .operands = gradient_operands,
                .results = {{"dlogits", "[N, classes]"}},
                .attributes = {smoothing},
                .infer = like_second,
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only)});
  registry.add({.name = "squared_hinge",
                .summary = "mean over the batch of sum over c of max(0, 1 - t[c] x[c])^2, t = +1 for the label, else -1",
                .operands = operands,
                .results = loss,
                .infer = infer_classes,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit("squared_hinge_grad", {g.gradient(), g.operand(0), g.operand(1)}), absent};
                }),
                .integer = no_integer_form(loss_only)});
  registry.add({.name = "squared_hinge_grad",
                .summary = "-2 t[c] max(0, 1 - t[c] x[c]) * dloss / N",
                .operands = gradient_operands,
                .results = {{"dlogits", "[N, classes]"}},
                .infer = like_second,
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only)});
  registry.add({.name = "mean_squared_error",
                .summary = "mean over all elements of (x - target)^2",
                .operands = {{"x", "floats"}, {"target", "of the same shape"}},
                .results = loss,
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  c.expect(c.operand(0) == c.operand(1),
                           "x is " + to_string(c.operand(0)) + " and target " + to_string(c.operand(1)) + ", expected one type");
                  return {{c.operand(0).dtype, {}}};
                },
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit("mean_squared_error_grad", {g.gradient(), g.operand(0), g.operand(1)}), absent};
                }),
                .integer = no_integer_form(loss_only)});
  registry.add({.name = "mean_squared_error_grad",
                .summary = "2 (x - target) * dloss / count",
                .operands = {{"dloss", "scalar"}, {"x", "floats"}, {"target", "of the same shape"}},
                .results = {{"dx", "of the shape of x"}},
                .infer = like_second,
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only)});
  registry.add({.name = "correct_count",
                .summary = "how many rows have their largest logit (the first of equals) at the label",
                .operands = operands,
                .results = {{"count", "i32 scalar"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  infer_classes(c);
                  return {{DType::i32, {}}};
                },
                .gradient = no_gradient("a count has no derivative"),
                .integer = no_integer_form("a metric")});
}

}  // namespace stair::ir::ops
