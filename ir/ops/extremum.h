#pragma once

#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

// The least and the largest of several operands. Rounding keeps an order, so that of quantized operands it is that of their integers once
// they have one scale and zero point, as for a concatenation.

inline std::vector<Type> infer_extremum(const InferContext& c, std::size_t first) {
  Shape shape = c.shape(first);
  for (std::size_t i = first + 1; i < c.operands.size(); ++i) {
    const std::optional<Shape> together = ir::broadcast(shape, c.shape(i));
    c.expect(together && c.operand(i).dtype == c.operand(first).dtype,
             "operands " + to_string(c.operand(first)) + " and " + to_string(c.operand(i)) + " don't broadcast");
    shape = *together;
  }
  return {{c.operand(first).dtype, shape}};
}

/// Adds the op and that of its gradients.
inline void add_extremum(OpRegistry& registry, const char* name, const char* summary) {
  const std::string gradient_op = std::string(name) + "_grad";
  registry.add({.name = name,
                .summary = summary,
                .operands = {{"x", "floats, u8 or s8; shapes broadcast", false, true}},
                .results = {{"y", "of the broadcast shape"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_ordered(c, 0);
                  return infer_extremum(c, 0);
                },
                .deployed = true,
                .gradient = gradient([gradient_op](GradientContext& g) {
                  std::vector<ValueId> gradients(g.operand_count(), absent);
                  for (std::size_t i = 0; i < gradients.size(); ++i) {
                    if (!g.needs(i)) continue;
                    std::vector<ValueId> operands{g.gradient()};
                    for (std::size_t of = 0; of < gradients.size(); ++of) operands.push_back(g.operand(of));
                    const ValueId won = g.emit(gradient_op, std::move(operands), {{"operand", static_cast<std::int64_t>(i)}});
                    const Shape shape = g.type(g.operand(i)).shape;
                    gradients[i] = g.reduce_to(won, shape);
                  }
                  return gradients;
                }),
                .integer = moves(),
                .dimensions = each_element,
                .layer = OpSchema::Layer{}});
  registry.add(of_backward({.name = gradient_op,
                            .summary = "dy where that operand is the first that wins, else 0",
                            .operands = {{"dy", "gradient by y"}, {"x", "the operands", false, true}},
                            .results = {{"won", "of the shape of y"}},
                            .attributes = {{"operand", "by whose element, from 0 on", std::int64_t{0}, true, at_least(0)}},
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              same_as_first_float(c);
                              expect_type(c, 0, infer_extremum(c, 1).front());
                              const auto operands = static_cast<std::int64_t>(c.operands.size()) - 1;
                              c.expect(c.attributes.integer("operand") < operands,
                                       "operand " + std::to_string(c.attributes.integer("operand")) + " of " + std::to_string(operands));
                              return {c.operand(0)};
                            }}));
}

}  // namespace stair::ir::ops
