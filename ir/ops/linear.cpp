#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"
#include "ir/ops/initializers.h"

namespace stair::ir::ops {
namespace {

// x as a matrix of rows.
ValueId rows(GradientContext& g, ValueId value) {
  const Shape& shape = g.type(value).shape;
  if (shape.size() == 2) return value;
  return g.emit("reshape", {value}, {{"shape", Shape{element_count(shape) / shape.back(), shape.back()}}});
}

std::vector<ValueId> linear_backward(GradientContext& g) {
  std::vector<ValueId> gradients(g.operand_count(), absent);
  const ValueId dy = rows(g, g.gradient());
  if (g.needs(0)) {
    const Shape shape = g.type(g.operand(0)).shape;
    gradients[0] = g.emit("matmul", {dy, g.operand(1)}, {{"quantize", false}});
    if (shape.size() != 2) gradients[0] = g.emit("reshape", {gradients[0]}, {{"shape", shape}});
  }
  if (g.needs(1)) gradients[1] = g.emit("matmul", {dy, rows(g, g.operand(0))}, {{"transpose_a", true}, {"quantize", false}});
  if (g.needs(2)) gradients[2] = g.emit("reduce_sum", {dy}, {{"axes", std::vector<std::int64_t>{0}}});
  return gradients;
}

}  // namespace

void linear(OpRegistry& registry) {
  registry.add(
      {.name = "linear",
       .summary = "x * weight^T + bias over the last dimension",
       .operands = {{"x", "[..., K]"}, {"weight", "[O, K]"}, {"bias", "[O]", true}},
       .results = {{"y", "[..., O]"}},
       .attributes = {quantize_attribute()},
       .infer = [](const InferContext& c) -> std::vector<Type> {
         same_as_first_float(c);
         Shape shape = c.shape(0);
         c.expect(!shape.empty() && c.shape(1).size() == 2 && c.shape(1)[1] == shape.back(),
                  "x " + to_string(shape) + " and weight " + to_string(c.shape(1)) + " don't fit, expected [..., K] and [O, K]");
         shape.back() = c.shape(1)[0];
         expect_dtype(c, 1, c.operand(0).dtype);
         expect_type(c, 2, {c.operand(0).dtype, {shape.back()}});
         return {{c.operand(0).dtype, shape}};
       },
       .deployed = true,
       .gradient = gradient(linear_backward),
       .integer = accumulates("linear_integer", -1, 2),
       .dimensions = [](const InferContext& c) { return of_first(c, [&](std::size_t d) { return d + 1 < c.shape(0).size(); }); },
       .multiply_accumulates = products_with_weight,
       .layer = OpSchema::Layer{.attributes = {{"features", "outputs", std::int64_t{1}, true}, {"bias", "adds a bias", true}},
                                .parameters = {{.operand = "weight",
                                                .type = [](const Attributes& l, const Shape& x) -> Type {
                                                  return {DType::f32, {l.integer("features"), x.back()}};
                                                },
                                                .initializer = [](const Attributes&, const Shape& x) { return kaiming_uniform(x.back()); }},
                                               {.operand = "bias",
                                                .type = [](const Attributes& l, const Shape&) -> Type {
                                                  return {DType::f32, {l.integer("features")}};
                                                },
                                                .initializer = [](const Attributes&, const Shape& x) { return kaiming_uniform(x.back()); },
                                                .enabled_by = "bias"}}}});
}

}  // namespace stair::ir::ops
