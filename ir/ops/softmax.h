#pragma once

#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

/// Adds softmax or log_softmax and its gradient op, which reads the result.
inline void add_softmax(OpRegistry& registry, const char* name, const char* summary, const char* derivative, IntegerForm integer) {
  const AttributeSpec axis{"axis", "negative counts from the end", std::int64_t{-1}};
  const std::string gradient_op = std::string(name) + "_grad";
  const auto infer = [](const InferContext& c) {
    axis_of(c, c.shape(0).size());
    return same_as_first_float(c);
  };
  registry.add({.name = name,
                .summary = summary,
                .operands = {{"x", "any floats"}},
                .results = {{"y", "of the type of x"}},
                .attributes = {axis},
                .infer = infer,
                .deployed = true,
                .gradient = gradient([gradient_op](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit(gradient_op, {g.gradient(), g.result()}, g.attributes())};
                }),
                .integer = std::move(integer),
                .dimensions = beside_axis,
                .layer = OpSchema::Layer{}});
  registry.add(of_backward({.name = gradient_op,
                            .summary = derivative,
                            .operands = {{"dy", "gradient by y"}, {"y", "its result"}},
                            .results = {{"dx", "gradient by x"}},
                            .attributes = {axis},
                            .infer = [](const InferContext& c) {
                              axis_of(c, c.shape(0).size());
                              return same_floats(c, 1);
                            }}));
}

}  // namespace stair::ir::ops
