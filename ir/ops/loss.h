#pragma once

#include "ir/ops/common.h"

namespace stair::ir::ops {

// What losses over classes share.

inline const char* const loss_only = "losses are computed in float";

/// logits [N, classes] and labels i32[N] give a scalar.
inline std::vector<Type> infer_classes(const InferContext& c) {
  same_as_first_float(c);
  expect_operand(c, 0, c.shape(0).size() == 2, "[N, classes]");
  expect_type(c, 1, {DType::i32, {c.shape(0)[0]}});
  return {{c.operand(0).dtype, {}}};
}

/// Of the gradient op of such a loss, whose operands are dloss and then the loss's.
inline std::vector<Type> infer_classes_gradient(const InferContext& c) {
  expect_operand(c, 1, is_float(c.operand(1).dtype) && c.shape(1).size() == 2, "floats [N, classes]");
  expect_type(c, 0, {c.operand(1).dtype, {}});
  expect_type(c, 2, {DType::i32, {c.shape(1)[0]}});
  return {c.operand(1)};
}

inline std::vector<OperandSpec> loss_result() {
  return {reduced(Reduction::mean, "loss", "scalar, a mean over the batch")};
}

/// Adds a loss over classes, and the op NAME_grad of its gradient by the logits, which has the same attributes.
inline void add_class_loss(OpRegistry& registry, const std::string& name, const char* summary, const char* derivative,
                           const std::vector<AttributeSpec>& attributes = {}) {
  registry.add({.name = name,
                .summary = summary,
                .operands = {{"logits", "[N, classes]"}, {"labels", "i32[N]"}},
                .results = loss_result(),
                .attributes = attributes,
                .infer = infer_classes,
                .gradient = gradient([name](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit(name + "_grad", {g.gradient(), g.operand(0), g.operand(1)}, g.attributes()), absent};
                }),
                .integer = no_integer_form(loss_only)});
  registry.add(of_backward({.name = name + "_grad",
                            .summary = derivative,
                            .operands = {{"dloss", "scalar"}, {"logits", "[N, classes]"}, {"labels", "i32[N]"}},
                            .results = {{"dlogits", "[N, classes]"}},
                            .attributes = attributes,
                            .infer = infer_classes_gradient}));
}

}  // namespace stair::ir::ops
