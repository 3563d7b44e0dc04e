#include "ir/broadcast.h"
#include "ir/ops/common.h"

namespace stair::ir::ops {
namespace {

std::vector<Type> infer(const InferContext& c) {
  same_as_first_float(c);
  expect_dtype(c, 1, c.operand(0).dtype);
  const auto shape = broadcast(c.shape(0), c.shape(1));
  c.expect(shape.has_value(), "shapes " + to_string(c.shape(0)) + " and " + to_string(c.shape(1)) + " don't broadcast");
  return {{c.operand(0).dtype, *shape}};
}

void add_binary(OpRegistry& registry, const char* name, const char* summary, GradientRule rule, IntegerForm integer, bool layer) {
  registry.add({.name = name,
                .summary = summary,
                .operands = {{"a", "floats"}, {"b", "floats; shapes broadcast"}},
                .results = {{"y", "of the broadcast shape"}},
                .infer = infer,
                .gradient = gradient(std::move(rule)),
                .integer = std::move(integer),
                .layer = layer ? std::optional(OpSchema::Layer{}) : std::nullopt});
}

Shape shape_of(GradientContext& g, std::size_t operand) {
  return g.type(g.operand(operand)).shape;
}

ValueId reduced(GradientContext& g, std::size_t operand, ValueId value) {
  const Shape shape = shape_of(g, operand);
  return g.reduce_to(value, shape);
}

}  // namespace

void arithmetic(OpRegistry& registry) {
  add_binary(
      registry, "add", "a + b",
      [](GradientContext& g) -> std::vector<ValueId> {
        return {g.needs(0) ? reduced(g, 0, g.gradient()) : absent, g.needs(1) ? reduced(g, 1, g.gradient()) : absent};
      },
      binary_point(), true);
  add_binary(
      registry, "sub", "a - b",
      [](GradientContext& g) -> std::vector<ValueId> {
        std::vector<ValueId> d(2, absent);
        if (g.needs(0)) d[0] = reduced(g, 0, g.gradient());
        if (g.needs(1)) d[1] = g.emit("negate", {reduced(g, 1, g.gradient())});
        return d;
      },
      binary_point(), true);
  add_binary(
      registry, "mul", "a b",
      [](GradientContext& g) -> std::vector<ValueId> {
        std::vector<ValueId> d(2, absent);
        if (g.needs(0)) d[0] = reduced(g, 0, g.emit("mul", {g.gradient(), g.operand(1)}));
        if (g.needs(1)) d[1] = reduced(g, 1, g.emit("mul", {g.gradient(), g.operand(0)}));
        return d;
      },
      binary_point(), true);
  add_binary(
      registry, "div", "a / b",
      [](GradientContext& g) -> std::vector<ValueId> {
        std::vector<ValueId> d(2, absent);
        const ValueId by_a = g.emit("div", {g.gradient(), g.operand(1)});
        if (g.needs(0)) d[0] = reduced(g, 0, by_a);
        if (g.needs(1)) d[1] = g.emit("negate", {reduced(g, 1, g.emit("mul", {by_a, g.result()}))});
        return d;
      },
      no_integer_form("a quotient of integers needs more bits than its operands: runs on dequantized floats"), false);
  registry.add({.name = "negate",
                .summary = "-x",
                .operands = {{"x", "floats"}},
                .results = {{"y", "of the type of x"}},
                .infer = same_as_first_float,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> { return {g.emit("negate", {g.gradient()})}; }),
                .integer = no_integer_form("stands in gradients only"),
                .in_place = 0});
}

}  // namespace stair::ir::ops
