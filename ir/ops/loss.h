#pragma once

#include "ir/ops/common.h"

namespace stair::ir::ops {

// What losses share: over classes, and element by element.

inline const char* const loss_only = "losses are computed in float";

/// Of logits [N, classes, ...]: [N, ...], a class an example, or one a position of it.
inline Shape shape_of_labels(Shape logits) {
  logits.erase(logits.begin() + 1);
  return logits;
}

/// logits [N, classes, ...] and labels i32 [N, ...] give a scalar.
inline std::vector<Type> infer_classes(const InferContext& c) {
  same_as_first_float(c);
  expect_operand(c, 0, c.shape(0).size() >= 2, "[N, classes, ...]");
  expect_type(c, 1, {DType::i32, shape_of_labels(c.shape(0))});
  return {{c.operand(0).dtype, {}}};
}

/// Of the gradient op of such a loss, whose operands are dloss and then the loss's.
inline std::vector<Type> infer_classes_gradient(const InferContext& c) {
  expect_operand(c, 1, is_float(c.operand(1).dtype) && c.shape(1).size() >= 2, "floats [N, classes, ...]");
  expect_type(c, 0, {c.operand(1).dtype, {}});
  expect_type(c, 2, {DType::i32, shape_of_labels(c.shape(1))});
  return {c.operand(1)};
}

inline std::vector<OperandSpec> loss_result() {
  return {reduced(Reduction::mean, "loss", "scalar, a mean over the batch")};
}

/// Adds a loss, and the op NAME_grad of its gradient by the first operand, which has the same attributes.
inline void add_loss(OpRegistry& registry, OpSchema loss, const char* derivative,
                     std::function<std::vector<Type>(const InferContext&)> infer) {
  std::vector<OperandSpec> operands = loss.operands;
  operands.insert(operands.begin(), {"dloss", "scalar"});
  OperandSpec result = loss.operands.front();
  result.name = "d" + result.name;
  loss.results = loss_result();
  loss.gradient = gradient([name = loss.name](GradientContext& g) -> std::vector<ValueId> {
    return {g.emit(name + "_grad", {g.gradient(), g.operand(0), g.operand(1)}, g.attributes()), absent};
  });
  loss.integer = no_integer_form(loss_only);
  registry.add(of_backward({.name = loss.name + "_grad",
                            .summary = derivative,
                            .operands = std::move(operands),
                            .results = {std::move(result)},
                            .attributes = loss.attributes,
                            .infer = std::move(infer)}));
  registry.add(std::move(loss));
}

/// What losses over classes are held against.
inline std::vector<OperandSpec> logits_and_labels() {
  return {{"logits", "[N, classes, ...]"}, {"labels", "i32 [N, ...]"}};
}

/// Of floats against floats: the mean over all elements.
inline void add_element_loss(OpRegistry& registry, const std::string& name, const char* summary, const char* derivative,
                             const std::vector<AttributeSpec>& attributes = {}) {
  add_loss(registry,
           {.name = name,
            .summary = summary,
            .operands = {{"x", "floats"}, {"target", "of the same shape"}},
            .attributes = attributes,
            .infer = [](const InferContext& c) -> std::vector<Type> {
              same_floats(c, 1);
              return {{c.operand(0).dtype, {}}};
            }},
           derivative, [](const InferContext& c) -> std::vector<Type> {
             expect_operand(c, 1, is_float(c.operand(1).dtype), "floats");
             expect_type(c, 0, {c.operand(1).dtype, {}});
             expect_type(c, 2, c.operand(1));
             return {c.operand(1)};
           });
}

}  // namespace stair::ir::ops
