#include "ir/ops/reduction.h"

namespace stair::ir::ops {
namespace {

// dy with the reduced dimensions back as 1, so that it broadcasts to x.
Shape kept_shape(GradientContext& g) {
  Shape shape = g.type(g.operand(0)).shape;
  const std::vector<bool> reduced = reduced_axes(g.attributes(), shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (reduced[i]) shape[i] = 1;
  }
  return shape;
}

std::vector<Type> infer(const InferContext& c) {
  same_as_first_float(c);
  return {{c.operand(0).dtype, infer_reduction(c)}};
}

std::int64_t reduced_count(const Graph& graph, const Node& node) {
  return element_count(graph.type(node.operands[0]).shape) / element_count(graph.type(node.results[0]).shape);
}

ValueId spread(GradientContext& g, ValueId value) {
  const Shape shape = g.type(g.operand(0)).shape;
  return g.emit("broadcast", {g.emit("reshape", {value}, {{"shape", kept_shape(g)}})}, {{"shape", shape}});
}

}  // namespace

void reductions(OpRegistry& registry) {
  registry.add({.name = "reduce_sum",
                .summary = "sum over the axes",
                .operands = {{"x", "floats"}},
                .results = {{"y", "without the axes, or with 1 in their place"}},
                .attributes = reduction_attributes(),
                .infer = infer,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> { return {spread(g, g.gradient())}; }),
                .integer = averages("reduce_sum_integer", [](const Graph&, const Node&) { return std::int64_t{1}; }),
                .layer = OpSchema::Layer{}});
  registry.add({.name = "reduce_mean",
                .summary = "mean over the axes",
                .operands = {{"x", "floats"}},
                .results = {{"y", "without the axes, or with 1 in their place"}},
                .attributes = reduction_attributes(),
                .infer = infer,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  const std::int64_t n = element_count(g.type(g.operand(0)).shape) / element_count(g.type(g.result()).shape);
                  const std::string dtype(name_of(g.type(g.gradient()).dtype));
                  const ValueId count = g.emit("constant", {}, {{"value", static_cast<double>(n)}, {"dtype", dtype}});
                  return {g.emit("div", {spread(g, g.gradient()), count})};
                }),
                .integer = averages("reduce_sum_integer", reduced_count),
                .layer = OpSchema::Layer{}});
  registry.add({.name = "reduce_max",
                .summary = "largest over the axes; the gradient goes to the first of equals",
                .operands = {{"x", "floats, u8 or s8"}},
                .results = {{"y", "without the axes, or with 1 in their place"}},
                .attributes = reduction_attributes(),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  return {{c.operand(0).dtype, infer_reduction(c)}};
                },
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit("reduce_max_grad", {g.gradient(), g.operand(0)}, g.attributes())};
                }),
                .integer = moves(),
                .layer = OpSchema::Layer{}});
  registry.add({.name = "reduce_max_grad",
                .summary = "dy goes to the first of the largest",
                .operands = {{"dy", "gradient by y"}, {"x", "its operand"}},
                .results = {{"dx", "of the shape of x"}},
                .attributes = reduction_attributes(),
                .infer = [](const InferContext& c) -> std::vector<Type> { return {c.operand(1)}; },
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only)});
  registry.add({.name = "broadcast",
                .summary = "repeats x along dimensions of 1 to the shape",
                .operands = {{"x", "floats"}},
                .results = {{"y", "of the shape"}},
                .attributes = {{"shape", "of the result", std::vector<std::int64_t>{}, true}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  const Shape& x = c.shape(0);
                  const Shape& shape = c.attributes.integers("shape");
                  bool fits = x.size() <= shape.size();
                  for (std::size_t i = 1; fits && i <= x.size(); ++i) {
                    fits = x[x.size() - i] == 1 || x[x.size() - i] == shape[shape.size() - i];
                  }
                  c.expect(fits, "x " + to_string(x) + " doesn't broadcast to " + to_string(shape));
                  return {{c.operand(0).dtype, shape}};
                },
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  const Shape shape = g.type(g.operand(0)).shape;
                  return {g.reduce_to(g.gradient(), shape)};
                }),
                .integer = no_integer_form("stands in gradients only")});
}

}  // namespace stair::ir::ops
