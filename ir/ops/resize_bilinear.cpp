#include "ir/ops/resize.h"

namespace stair::ir::ops {
namespace {

// 8-bit integers times weights that sum to that don't leave int32.
constexpr std::int64_t most_weights = std::int64_t{1} << 23;

}  // namespace

void resize_bilinear(OpRegistry& registry) {
  registry.add({.name = "resize_bilinear",
                .summary = "images of another size, linear between the centres of the pixels around (align_corners=false)",
                .operands = {{"x", "[N,C,H,W]"}},
                .results = {{"y", "[N,C,OH,OW]"}},
                .attributes = {size_attribute()},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  return {{c.operand(0).dtype, infer_resize(c, c.shape(0))}};
                },
                .deployed = true,
                .gradient = gradient([](GradientContext& g) { return resize_backward(g, "resize_bilinear_grad"); }),
                .integer = averages("resize_bilinear_integer",
                                    [](const Graph& graph, const Node& node) {
                                      return resize_weights(graph.type(node.operands[0]).shape, node.attributes);
                                    }),
                .dimensions = each_plane,
                .layer = OpSchema::Layer{}});
  add_resize_gradient(registry, "resize_bilinear_grad", "dy, by its weights, added up at the pixels that it was made of");
  registry.add({.name = "resize_bilinear_integer",
                .summary = "N-RESIZE: sum of q - z_x times integer weights, exact in int32",
                .operands = {{"x", "u8 or s8 [N,C,H,W]"}, {"x_zero_point", "i32[1]"}},
                .results = {{"acc", "i32 [N,C,OH,OW]"}},
                .attributes = {size_attribute()},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_quantized(c, 0);
                  expect_zero_point(c, 1);
                  const Shape y = infer_resize(c, c.shape(0));
                  c.expect(resize_weights(c.shape(0), c.attributes) <= most_weights,
                           "from " + to_string(c.shape(0)) + " to " + to_string(y) +
                               " the weights sum to more than 2^23: int32 may not hold the sums");
                  return {{DType::i32, y}};
                },
                .check_data = [](const DataContext& c) { check_zero_point(c, 1, 0); },
                .deployed = true,
                .gradient = no_gradient(integers_only),
                .integer = sums_integers({{0, 1}}, [](const Graph& graph, const Node& node) {
                  return resize_weights(graph.type(node.operands[0]).shape, node.attributes);
                })});
}

}  // namespace stair::ir::ops
