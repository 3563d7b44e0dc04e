#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "frontend/importers/onnx/broadcasting.h"

namespace stair::frontend::onnx::ops {
namespace {

using Integer = std::int64_t;

// Wraps as integers of 64 bits do, whatever a file says.
Integer wrapped(std::uint64_t value) {
  return static_cast<Integer>(value);
}
Integer whole_add(Integer a, Integer b) {
  return wrapped(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
Integer whole_sub(Integer a, Integer b) {
  return wrapped(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
Integer whole_mul(Integer a, Integer b) {
  return wrapped(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
Integer whole_div(Integer a, Integer b) {
  if (b == 0) return 0;
  return b == -1 ? whole_sub(0, a) : a / b;
}

void add_binary(OperatorRegistry& registry, const char* name, const char* layer, double (*real)(double, double),
                Integer (*whole)(Integer, Integer)) {
  registry.add({name, fmt::format("`{}`", layer),
                [layer](NodeContext& c) {
                  c.expect(c.count() == 2, fmt::format("has {} inputs, expected 2", c.count()));
                  const std::vector<Value> values = broadcast_inputs(c);
                  c.yield(emit_binary(c, layer, values[0], values[1]));
                },
                [real, whole](NodeContext& c) { c.yield(folded(c.constant(0, "A"), c.constant(1, "B"), real, whole)); }});
}

// Of any number of inputs.
void add_variadic(OperatorRegistry& registry, const char* name, const char* layer, double (*real)(double, double), bool divides) {
  registry.add({name, fmt::format("`{}`{}", layer, divides ? ", times a number" : ""),
                [layer, divides](NodeContext& c) {
                  c.expect(c.count() > 0, "has no inputs");
                  const std::vector<Value> values = broadcast_inputs(c);
                  Value sum = values.front();
                  for (std::size_t i = 1; i < values.size(); ++i)
                    sum = emit_binary(c, layer, sum, values[i], i + 1 == values.size() && !divides ? "" : "sum");
                  if (divides && values.size() > 1)
                    sum = emit_binary(c, "mul", sum, c.emit_number(1.0 / static_cast<double>(values.size()), "share"));
                  c.yield(sum);
                },
                [real, divides](NodeContext& c) {
                  Constant sum = c.constant(0, "an operand");
                  for (std::size_t i = 1; i < c.count(); ++i) sum = folded(sum, c.constant(i, "an operand"), real);
                  const auto n = static_cast<double>(c.count());
                  c.yield(divides ? folded(sum, [n](double x) { return x / n; }) : std::move(sum));
                }});
}

void import_pow(NodeContext& c) {
  const Constant& exponent = c.constant(1, "the exponent");
  c.expect(exponent.count() == 1, fmt::format("its exponents are {}, expected one number", ir::to_string(exponent.shape)));
  const double e = exponent.number(0);
  const Value x = c.floats(0);
  if (e == 1) return c.yield(x);
  if (e == 2) return c.yield(c.emit("square", {x}));
  if (e == 0.5) return c.yield(c.emit("sqrt", {x}));
  if (e == 3) return c.yield(emit_binary(c, "mul", c.emit("square", {x}, {}, {}, "square"), x));
  if (e == -1) return c.yield(emit_binary(c, "div", c.emit_number(1, "one"), x));
  if (e == -0.5) return c.yield(emit_binary(c, "div", c.emit_number(1, "one"), c.emit("sqrt", {x}, {}, {}, "sqrt")));
  c.fail(fmt::format("its exponent is {}, expected 0.5, 1, 2, 3, -1 or -0.5", e));
}

}  // namespace

void arithmetic(OperatorRegistry& registry) {
  add_binary(
      registry, "Add", "add", [](double a, double b) { return a + b; }, whole_add);
  add_binary(
      registry, "Sub", "sub", [](double a, double b) { return a - b; }, whole_sub);
  add_binary(
      registry, "Mul", "mul", [](double a, double b) { return a * b; }, whole_mul);
  add_binary(
      registry, "Div", "div", [](double a, double b) { return a / b; }, whole_div);
  add_variadic(
      registry, "Sum", "add", [](double a, double b) { return a + b; }, false);
  add_variadic(
      registry, "Mean", "add", [](double a, double b) { return a + b; }, true);
  add_variadic(
      registry, "Max", "maximum", [](double a, double b) { return std::max(a, b); }, false);
  add_variadic(
      registry, "Min", "minimum", [](double a, double b) { return std::min(a, b); }, false);
  registry.add({"Pow", "`square`, `sqrt`, `mul`, `div`; the exponent is 0.5, 1, 2, 3, -1 or -0.5", import_pow, [](NodeContext& c) {
                  c.yield(folded(c.constant(0, "X"), c.constant(1, "Y"), [](double a, double b) { return std::pow(a, b); }));
                }});
}

}  // namespace stair::frontend::onnx::ops
