#include "ir/ops/convolution.h"
#include "ir/ops/dimensions.h"

// The transposed convolution: each pixel of x, times the weights, is added to a window of y. Weights have the output channels first, as
// those of conv2d.

namespace stair::ir::ops {
namespace {

std::vector<AttributeSpec> transposed_attributes(std::vector<AttributeSpec> more = {}) {
  more.insert(more.begin(), {"output_padding", "[height, width], rows and columns more at the end", std::vector<std::int64_t>{0, 0}, false,
                             within(0, largest_window)});
  return convolution_attributes(std::move(more));
}

Shape infer_transposed(const InferContext& c, const Shape& x, const Shape& w) {
  expect_window_attributes(c);
  const std::vector<std::int64_t>& more = c.attributes.integers("output_padding");
  c.expect(more.size() == 2, "output_padding is " + to_string(more) + ", expected two numbers [height, width]");
  c.expect(x.size() == 4, "x is " + to_string(x) + ", expected [N,C,H,W]");
  expect_window_weight(c, x, w);
  Shape y{x[0], w[0], 0, 0};
  for (std::size_t a = 0; a < 2; ++a) {
    const std::vector<std::int64_t>& padding = c.attributes.integers("padding");
    const std::int64_t stride = c.attributes.integers("stride")[a];
    const std::int64_t dilation = c.attributes.integers("dilation")[a];
    c.expect(more[a] < std::max(stride, dilation), "output_padding is " + to_string(more) + ", expected less than stride or dilation");
    const std::int64_t size = (x[2 + a] - 1) * stride + dilation * (w[2 + a] - 1) + 1 + more[a];
    c.expect(size > padding[a] + padding[a + 2],
             "padding " + to_string(padding) + " leaves nothing of " + std::to_string(size) + (a == 0 ? " rows" : " columns"));
    y[2 + a] = size - padding[a] - padding[a + 2];
  }
  return y;
}

std::vector<ValueId> transposed_backward(GradientContext& g) {
  std::vector<ValueId> gradients(g.operand_count(), absent);
  const auto emit = [&](const char* name, std::size_t with, const char* attribute, std::size_t of) {
    Attributes attributes = attributes_for(op(name), g.attributes());
    attributes.set(attribute, g.type(g.operand(of)).shape);
    return g.emit(name, {g.gradient(), g.operand(with)}, std::move(attributes));
  };
  if (g.needs(0)) gradients[0] = emit("conv_transpose2d_grad_input", 1, "input_shape", 0);
  if (g.needs(1)) gradients[1] = emit("conv_transpose2d_grad_weight", 0, "weight_shape", 1);
  if (g.needs(2)) gradients[2] = g.emit("reduce_sum", {g.gradient()}, {{"axes", std::vector<std::int64_t>{0, 2, 3}}});
  return gradients;
}

// Of forward and of the gradients: each element of x with the weights that read its channel. `x` and `weight` are shapes.
std::int64_t products(const Node& node, const Shape& x, const Shape& weight) {
  return element_count(x) * (element_count(weight) / (weight[1] * node.attributes.integer("groups")));
}

OpSchema gradient_op(const char* name, const char* summary, OperandSpec with, const char* result, AttributeSpec shape) {
  const bool by_input = shape.name == "input_shape";
  return {.name = name,
          .summary = summary,
          .operands = {{"dy", "[N,O,OH,OW]"}, std::move(with)},
          .results = {{result, "of " + shape.name}},
          .attributes = transposed_attributes({std::move(shape)}),
          .infer = [by_input](const InferContext& c) -> std::vector<Type> {
            same_as_first_float(c);
            expect_dtype(c, 1, c.operand(0).dtype);
            const Shape& made = shape_attribute(c, by_input ? "input_shape" : "weight_shape");
            const Shape y = by_input ? infer_transposed(c, made, c.shape(1)) : infer_transposed(c, c.shape(1), made);
            expect_type(c, 0, {c.operand(0).dtype, y});
            return {{c.operand(0).dtype, made}};
          },
          .gradient = no_gradient(first_order_only),
          .integer = no_integer_form(backward_only),
          .multiply_accumulates =
              [by_input](const Graph& graph, const Node& node) {
                const Shape& other = graph.type(node.operands[1]).shape;
                const Shape& made = graph.type(node.results.front()).shape;
                return by_input ? products(node, made, other) : products(node, other, made);
              }};
}

std::int64_t products_of_transposed(const Graph& graph, const Node& node) {
  return products(node, graph.type(node.operands[0]).shape, graph.type(node.operands[1]).shape);
}

}  // namespace

void conv_transpose2d(OpRegistry& registry) {
  registry.add({.name = "conv_transpose2d",
                .summary = "transposed convolution of x [N,C,H,W] with weight [O,C/groups,KH,KW], plus bias",
                .operands = {{"x", "[N,C,H,W]"}, {"weight", "[O,C/groups,KH,KW]"}, {"bias", "[O]", true}},
                .results = {{"y", "[N,O,OH,OW]"}},
                .attributes = transposed_attributes({quantize_attribute()}),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  expect_dtype(c, 1, c.operand(0).dtype);
                  expect_type(c, 2, {c.operand(0).dtype, {c.shape(1).empty() ? 0 : c.shape(1)[0]}});
                  return {{c.operand(0).dtype, infer_transposed(c, c.shape(0), c.shape(1))}};
                },
                .deployed = true,
                .gradient = gradient(transposed_backward),
                .integer = accumulates("conv_transpose2d_integer", 1, 2),
                .dimensions = each_image,
                .multiply_accumulates = products_of_transposed,
                .layer = convolution_layer()});
  registry.add(gradient_op("conv_transpose2d_grad_input", "gradient of conv_transpose2d by x: the convolution of dy with the weight",
                           {"weight", "[O,C/groups,KH,KW]"}, "dx", {"input_shape", "of x", std::vector<std::int64_t>{}, true}));
  registry.add(gradient_op("conv_transpose2d_grad_weight", "gradient of conv_transpose2d by the weight, summed over the batch",
                           {"x", "[N,C,H,W]"}, "dw", {"weight_shape", "of the weight", std::vector<std::int64_t>{}, true}));
  registry.add({.name = "conv_transpose2d_integer",
                .summary = "N-ACC: conv_transpose2d of x - z_x, exact in int32",
                .operands = {{"x", "u8 or s8 [N,C,H,W]"}, {"weight", "s8 [O,C/groups,KH,KW]"}, {"x_zero_point", "i32[1]"}},
                .results = {{"acc", "i32 [N,O,OH,OW]"}},
                .attributes = transposed_attributes(),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_quantized(c, 0);
                  expect_dtype(c, 1, DType::s8);
                  expect_zero_point(c, 2);
                  return {{DType::i32, infer_transposed(c, c.shape(0), c.shape(1))}};
                },
                .check_data = [](const DataContext& c) { check_zero_point(c, 2, 0); },
                .deployed = true,
                .gradient = no_gradient(integers_only),
                .integer = sums_integers({{0, 2}, {1}}, weights_of_channel),
                .multiply_accumulates = products_of_transposed});
}

}  // namespace stair::ir::ops
