#include "ir/ops/convolution.h"

// The transposed convolution: each pixel of x, times the weights, is added to a window of y. Weights have the output channels first, as
// those of conv2d.

namespace stair::ir::ops {
namespace {

AttributeSpec output_padding() {
  return {"output_padding", "[height, width], rows and columns more at the end", std::vector<std::int64_t>{0, 0}, false,
          within(0, largest_window)};
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

// Each element of x with the weights that read its channel.
std::int64_t products_of_transposed(const Attributes& attributes, const Shape& x, const Shape& weight, const Shape&) {
  return element_count(x) * (element_count(weight) / (weight[1] * attributes.integer("groups")));
}

}  // namespace

void conv_transpose2d(OpRegistry& registry) {
  add_convolution(registry, {.name = "conv_transpose2d",
                             .summary = "transposed convolution of x [N,C,H,W] with weight [O,C/groups,KH,KW], plus bias",
                             .grad_input = "gradient of conv_transpose2d by x: the convolution of dy with the weight",
                             .grad_weight = "gradient of conv_transpose2d by the weight, summed over the batch",
                             .attributes = {output_padding()},
                             .infer = infer_transposed,
                             .products = products_of_transposed});
  registry.add({.name = "conv_transpose2d_integer",
                .summary = "N-ACC: conv_transpose2d of x - z_x, exact in int32",
                .operands = {{"x", "u8 or s8 [N,C,H,W]"}, {"weight", "s8 [O,C/groups,KH,KW]"}, {"x_zero_point", "i32[1]"}},
                .results = {{"acc", "i32 [N,O,OH,OW]"}},
                .attributes = convolution_attributes({output_padding()}),
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
                .multiply_accumulates =
                    [](const Graph& graph, const Node& node) {
                      const Shape& x = graph.type(node.operands[0]).shape;
                      return products_of_transposed(node.attributes, x, graph.type(node.operands[1]).shape, {});
                    }});
}

}  // namespace stair::ir::ops
