#include "ir/ops/convolution.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {
namespace {

std::vector<AttributeSpec> max_pool_attributes() {
  return pool_attributes("[height, width], at most 256 positions", "padding never wins");
}

// The position in a window is a byte.
Shape infer_max_pool(const InferContext& c, const Shape& x) {
  const Shape shape = infer_pool(c, x);
  const std::vector<std::int64_t>& kernel = c.attributes.integers("kernel");
  c.expect(kernel[0] * kernel[1] <= 256, "kernel " + to_string(kernel) + " has more than 256 positions");
  return shape;
}

}  // namespace

void max_pool(OpRegistry& registry) {
  registry.add({.name = "max_pool",
                .summary = "the largest value in each window; the first one of equals",
                .operands = {{"x", "floats, u8 or s8 [N,C,H,W]"}},
                .results = {{"y", "[N,C,OH,OW]"}, {"index", "u8: position of the largest in its window, row-major"}},
                .attributes = max_pool_attributes(),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_ordered(c, 0);
                  const Shape shape = infer_max_pool(c, c.shape(0));
                  return {{c.operand(0).dtype, shape}, {DType::u8, shape}};
                },
                .deployed = true,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit("max_pool_grad", {g.gradient(), g.result(1)},
                                 {{"input_shape", g.type(g.operand(0)).shape},
                                  {"kernel", g.attributes().at("kernel")},
                                  {"stride", g.attributes().at("stride")},
                                  {"padding", g.attributes().at("padding")}})};
                }),
                .integer = moves(),
                .channels_last = OpSchema::ChannelsLast{.attributes = in_nhwc, .op = "max_pool_integer"},
                .dimensions = each_plane,
                .layer = OpSchema::Layer{.on_sequences = "max_pool1d"}});
  std::vector<AttributeSpec> of_gradient = max_pool_attributes();
  of_gradient.push_back({"input_shape", "of x", std::vector<std::int64_t>{}, true});
  registry.add(of_backward({.name = "max_pool_grad",
                            .summary = "dy goes to the position that won",
                            .operands = {{"dy", "gradient by y"}, {"index", "of max_pool"}},
                            .results = {{"dx", "of input_shape"}},
                            .attributes = of_gradient,
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              same_as_first_float(c);
                              const Shape& x = shape_attribute(c, "input_shape");
                              const Shape shape = infer_max_pool(c, x);
                              expect_type(c, 0, {c.operand(0).dtype, shape});
                              expect_type(c, 1, {DType::u8, shape});
                              return {{c.operand(0).dtype, x}};
                            }}));
}

}  // namespace stair::ir::ops
