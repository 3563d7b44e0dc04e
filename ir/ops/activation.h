#pragma once

#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

/// A function of one element (N-POINT), a layer of models: an activation, or arithmetic of one operand.
struct Activation {
  const char* name;
  const char* summary;
  const char* derivative;  ///< what its gradient op computes
  std::vector<AttributeSpec> attributes = {};
  std::optional<OpSchema::Clamp> clamp = {};
};

/// The bounds of a clamp that its attributes state are in order.
inline void expect_bounds(const InferContext& c) {
  if (!c.attributes.has("low") || !c.attributes.has("high")) return;
  c.expect(c.attributes.number("low") <= c.attributes.number("high"), "low is more than high");
}

/// Adds an activation and its gradient op, which reads x. That of a clamp is handed y, which lies between the bounds exactly where x does:
/// so nobody keeps x.
inline void add_activation(OpRegistry& registry, const Activation& activation) {
  const std::string gradient_op = std::string(activation.name) + "_grad";
  std::optional<OpSchema::Clamp> clamp = activation.clamp;
  if (clamp) clamp->gradient = gradient_op;
  registry.add({.name = activation.name,
                .summary = activation.summary,
                .operands = {{"x", "any floats"}},
                .results = {{"y", "of the type of x"}},
                .attributes = activation.attributes,
                .infer =
                    [](const InferContext& c) {
                      expect_bounds(c);
                      return same_as_first_float(c);
                    },
                .deployed = true,
                .gradient = gradient([gradient_op, clamps = clamp.has_value()](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit(gradient_op, {g.gradient(), clamps ? g.result() : g.operand(0)}, g.attributes())};
                }),
                .integer = unary_table(activation.name),
                .clamp = clamp,
                .in_place = {0},
                .dimensions = each_element,
                .layer = OpSchema::Layer{}});
  registry.add(of_backward({.name = gradient_op,
                            .summary = activation.derivative,
                            .operands = {{"dy", "gradient by y"}, {"x", "its operand, or of a clamp its result"}},
                            .results = {{"dx", "gradient by x"}},
                            .attributes = activation.attributes,
                            .infer =
                                [](const InferContext& c) {
                                  expect_bounds(c);
                                  return same_floats(c, 1);
                                },
                            .in_place = {0}}));
}

}  // namespace stair::ir::ops
