#include "ir/ops/convolution.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {
namespace {

std::vector<ValueId> conv2d_backward(GradientContext& g) {
  std::vector<ValueId> gradients(g.operand_count(), absent);
  if (g.needs(0)) {
    Attributes attributes = attributes_for(op("conv2d_grad_input"), g.attributes());
    attributes.set("input_shape", g.type(g.operand(0)).shape);
    gradients[0] = g.emit("conv2d_grad_input", {g.gradient(), g.operand(1)}, attributes);
  }
  if (g.needs(1)) {
    Attributes attributes = attributes_for(op("conv2d_grad_weight"), g.attributes());
    attributes.set("weight_shape", g.type(g.operand(1)).shape);
    gradients[1] = g.emit("conv2d_grad_weight", {g.gradient(), g.operand(0)}, attributes);
  }
  if (g.needs(2)) gradients[2] = g.emit("reduce_sum", {g.gradient()}, {{"axes", std::vector<std::int64_t>{0, 2, 3}}});
  return gradients;
}

// As many as forward: each element of dy with the weights of its channel.
std::int64_t products_of_gradient(const Graph& graph, const Node& node) {
  const bool by_input = is(node, "conv2d_grad_input");
  const Shape& weight = by_input ? graph.type(node.operands[1]).shape : graph.type(node.results.front()).shape;
  return element_count(graph.type(node.operands[0]).shape) * element_count(weight) / weight.front();
}

}  // namespace

void conv2d(OpRegistry& registry) {
  registry.add({.name = "conv2d",
                .summary = "cross-correlation of x [N,C,H,W] with weight [O,C/groups,KH,KW], plus bias",
                .operands = {{"x", "[N,C,H,W]"}, {"weight", "[O,C/groups,KH,KW]"}, {"bias", "[O]", true}},
                .results = {{"y", "[N,O,OH,OW]"}},
                .attributes = convolution_attributes({quantize_attribute()}),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  expect_dtype(c, 1, c.operand(0).dtype);
                  expect_type(c, 2, {c.operand(0).dtype, {c.shape(1).empty() ? 0 : c.shape(1)[0]}});
                  return {{c.operand(0).dtype, infer_convolution(c, c.shape(0), c.shape(1))}};
                },
                .deployed = true,
                .gradient = gradient(conv2d_backward),
                .integer = accumulates("conv2d_integer", 1, 2),
                .dimensions = each_image,
                .multiply_accumulates = products_with_weight,
                .layer = convolution_layer()});
  registry.add({.name = "conv2d_grad_input",
                .summary = "gradient of conv2d by x: the transposed convolution of dy with the weight",
                .operands = {{"dy", "[N,O,OH,OW]"}, {"weight", "[O,C/groups,KH,KW]"}},
                .results = {{"dx", "of input_shape"}},
                .attributes = convolution_attributes({{"input_shape", "of x", std::vector<std::int64_t>{}, true}}),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  expect_dtype(c, 1, c.operand(0).dtype);
                  const Shape& x = shape_attribute(c, "input_shape");
                  expect_type(c, 0, {c.operand(0).dtype, infer_convolution(c, x, c.shape(1))});
                  return {{c.operand(0).dtype, x}};
                },
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only),
                .multiply_accumulates = products_of_gradient});
  registry.add({.name = "conv2d_grad_weight",
                .summary = "gradient of conv2d by the weight: the correlation of x with dy, summed over the batch",
                .operands = {{"dy", "[N,O,OH,OW]"}, {"x", "[N,C,H,W]"}},
                .results = {{"dw", "of weight_shape"}},
                .attributes = convolution_attributes({{"weight_shape", "of the weight", std::vector<std::int64_t>{}, true}}),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  expect_dtype(c, 1, c.operand(0).dtype);
                  const Shape& weight = shape_attribute(c, "weight_shape");
                  expect_type(c, 0, {c.operand(0).dtype, infer_convolution(c, c.shape(1), weight)});
                  return {{c.operand(0).dtype, weight}};
                },
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only),
                .multiply_accumulates = products_of_gradient});
}

}  // namespace stair::ir::ops
