#include "ir/ops/convolution.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {
namespace {

std::vector<AttributeSpec> max_pool_attributes() {
  return {{"kernel", "[height, width], at most 256 positions", std::vector<std::int64_t>{}, true},
          {"stride", "[height, width]; empty: the kernel's", std::vector<std::int64_t>{}},
          {"padding", "[top, left, bottom, right]; padding never wins", std::vector<std::int64_t>{0, 0, 0, 0}}};
}

}  // namespace

void max_pool(OpRegistry& registry) {
  registry.add({.name = "max_pool",
                .summary = "the largest value in each window; the first one of equals",
                .operands = {{"x", "floats, u8 or s8 [N,C,H,W]"}},
                .results = {{"y", "[N,C,OH,OW]"}, {"index", "u8: position of the largest in its window, row-major"}},
                .attributes = max_pool_attributes(),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  const Shape shape = infer_pool(c);
                  const std::vector<std::int64_t>& kernel = c.attributes.integers("kernel");
                  c.expect(kernel[0] * kernel[1] <= 256, "kernel " + to_string(kernel) + " has more than 256 positions");
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
                .dimensions = each_plane,
                .layer = OpSchema::Layer{}});
  std::vector<AttributeSpec> of_gradient = max_pool_attributes();
  of_gradient.push_back({"input_shape", "of x", std::vector<std::int64_t>{}, true});
  registry.add({.name = "max_pool_grad",
                .summary = "dy goes to the position that won",
                .operands = {{"dy", "gradient by y"}, {"index", "of max_pool"}},
                .results = {{"dx", "of input_shape"}},
                .attributes = of_gradient,
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  return {{c.operand(0).dtype, c.attributes.integers("input_shape")}};
                },
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only)});
}

}  // namespace stair::ir::ops
