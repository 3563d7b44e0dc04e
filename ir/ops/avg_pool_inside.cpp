#include "ir/ops/convolution.h"
#include "ir/ops/dimensions.h"
#include "ir/window_counts.h"

// The average pool that leaves the padding out: its windows average over different numbers of elements.

namespace stair::ir::ops {
namespace {

std::vector<AttributeSpec> attributes_inside() {
  return pool_attributes("[height, width]", "left out");
}

// 8-bit integers times that don't leave int32.
constexpr std::int64_t most_multiple = std::int64_t{1} << 23;

// N-AVG: the least common multiple of the windows' numbers of elements, rows and columns each; more than most_multiple where it is more.
std::int64_t common_count(const Shape& x, const Shape& y, const Attributes& attributes) {
  std::int64_t count = 1;
  for (std::size_t a = 0; a < 2; ++a) {
    const WindowCounts counts{x[2 + a], y[2 + a], attributes.integers("kernel")[a], window_stride(attributes)[a],
                              attributes.integers("padding")[a]};
    count *= counts.common_multiple(most_multiple);
  }
  return count;
}
std::int64_t common_count_of(const Graph& graph, const Node& node) {
  return common_count(graph.type(node.operands[0]).shape, graph.type(node.results[0]).shape, node.attributes);
}

}  // namespace

void avg_pool_inside(OpRegistry& registry) {
  registry.add({.name = "avg_pool_inside",
                .summary = "the mean of each window, over its positions inside of the image",
                .operands = {{"x", "[N,C,H,W]"}},
                .results = {{"y", "[N,C,OH,OW]"}},
                .attributes = attributes_inside(),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  return {{c.operand(0).dtype, infer_pool(c, c.shape(0))}};
                },
                .deployed = true,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  const Shape shape = g.type(g.operand(0)).shape;
                  Attributes attributes = g.attributes();
                  attributes.set("input_shape", shape);
                  return {g.emit("avg_pool_inside_grad", {g.gradient()}, std::move(attributes))};
                }),
                .integer = averages("avg_pool_inside_integer", common_count_of),
                .dimensions = each_plane,
                .layer = OpSchema::Layer{.on_sequences = "avg_pool_inside1d"}});
  std::vector<AttributeSpec> of_gradient = attributes_inside();
  of_gradient.push_back({"input_shape", "of x", std::vector<std::int64_t>{}, true});
  registry.add(of_backward({.name = "avg_pool_inside_grad",
                            .summary = "dy / n to every position of the window inside of the image, of which there are n",
                            .operands = {{"dy", "gradient by y"}},
                            .results = {{"dx", "of input_shape"}},
                            .attributes = of_gradient,
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              same_as_first_float(c);
                              const Shape& x = shape_attribute(c, "input_shape");
                              expect_type(c, 0, {c.operand(0).dtype, infer_pool(c, x)});
                              return {{c.operand(0).dtype, x}};
                            }}));
  registry.add(
      {.name = "avg_pool_inside_integer",
       .summary = "N-AVG: sum of q - z_x over the window inside of the image, times count / n for its n elements, exact in int32",
       .operands = {{"x", "u8 or s8 [N,C,H,W]"}, {"x_zero_point", "i32[1]"}},
       .results = {{"acc", "i32 [N,C,OH,OW]"}},
       .attributes = attributes_inside(),
       .infer = [](const InferContext& c) -> std::vector<Type> {
         expect_quantized(c, 0);
         expect_zero_point(c, 1);
         const Shape y = infer_pool(c, c.shape(0));
         c.expect(common_count(c.shape(0), y, c.attributes) <= most_multiple,
                  "its windows have so many numbers of elements that their common multiple is more than 2^23: int32 may not hold the sums");
         return {{DType::i32, y}};
       },
       .check_data = [](const DataContext& c) { check_zero_point(c, 1, 0); },
       .deployed = true,
       .gradient = no_gradient(integers_only),
       .integer = sums_integers({{0, 1}}, common_count_of)});
}

}  // namespace stair::ir::ops
