#pragma once

#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"
#include "ir/ops/layout.h"

namespace stair::ir::ops {

// What ops that only move elements share.

/// The gradient of what only changes the shape.
inline std::vector<ValueId> back_to_shape(GradientContext& g) {
  const Shape shape = g.type(g.operand(0)).shape;
  return {g.emit("reshape", {g.gradient()}, {{"shape", shape}})};
}

inline AttributeSpec padding_attribute() {
  return {"padding", "all begins, then all ends", std::vector<std::int64_t>{}, true, within(0, 0x1p31)};
}

inline std::vector<Type> infer_pad(const InferContext& c) {
  Shape shape = c.shape(0);
  const std::vector<std::int64_t>& padding = c.attributes.integers("padding");
  c.expect(padding.size() == 2 * shape.size(), "padding is " + to_string(padding) + ", expected " + std::to_string(2 * shape.size()) +
                                                   " numbers (all begins, then all ends) for x " + to_string(shape));
  for (std::size_t i = 0; i < shape.size(); ++i) shape[i] += padding[i] + padding[shape.size() + i];
  return {{c.operand(0).dtype, shape}};
}

/// Adds an op that changes the shape and nothing else, a layer of models too.
inline void add_reshape(OpRegistry& registry, const char* name, const char* summary, AttributeSpec attribute,
                        std::function<std::vector<Type>(const InferContext&)> infer) {
  registry.add({.name = name,
                .summary = summary,
                .operands = {{"x", "any type"}},
                .results = {{"y", "of the element type of x"}},
                .attributes = {std::move(attribute)},
                .infer = std::move(infer),
                .deployed = true,
                .gradient = gradient(back_to_shape),
                .integer = moves(),
                .in_order = true,
                .layer = OpSchema::Layer{}});
}

/// Adds an op of one operand x (or several, where variadic) that N-MOVE applies to, a layer of models too.
inline void add_move(OpRegistry& registry, const char* name, const char* summary, std::vector<AttributeSpec> attributes,
                     std::function<std::vector<Type>(const InferContext&)> infer, GradientRule rule,
                     std::function<Dimensions(const InferContext&)> dimensions, std::optional<OpSchema::ChannelsLast> channels_last = {},
                     IntegerForm integer = moves(), bool variadic = false) {
  registry.add({.name = name,
                .summary = summary,
                .operands = {{"x", "any type", false, variadic}},
                .results = {{"y", "of the element type of x"}},
                .attributes = std::move(attributes),
                .infer = std::move(infer),
                .deployed = true,
                .gradient = gradient(std::move(rule)),
                .integer = std::move(integer),
                .channels_last = std::move(channels_last),
                .dimensions = std::move(dimensions),
                .layer = OpSchema::Layer{}});
}

}  // namespace stair::ir::ops
