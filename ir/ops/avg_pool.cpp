#include "ir/ops/convolution.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {
namespace {

std::vector<AttributeSpec> avg_pool_attributes() {
  return pool_attributes("[height, width]", "padding counts as 0");
}

}  // namespace

void avg_pool(OpRegistry& registry) {
  registry.add({.name = "avg_pool",
                .summary = "the mean of each window, over all of its positions",
                .operands = {{"x", "[N,C,H,W]"}},
                .results = {{"y", "[N,C,OH,OW]"}},
                .attributes = avg_pool_attributes(),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  return {{c.operand(0).dtype, infer_pool(c, c.shape(0))}};
                },
                .deployed = true,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit("avg_pool_grad", {g.gradient()},
                                 {{"input_shape", g.type(g.operand(0)).shape},
                                  {"kernel", g.attributes().at("kernel")},
                                  {"stride", g.attributes().at("stride")},
                                  {"padding", g.attributes().at("padding")}})};
                }),
                .integer = averages("avg_pool_integer", window_size),
                .dimensions = each_plane,
                .layer = OpSchema::Layer{.on_sequences = "avg_pool1d"}});
  std::vector<AttributeSpec> of_gradient = avg_pool_attributes();
  of_gradient.push_back({"input_shape", "of x", std::vector<std::int64_t>{}, true});
  registry.add(of_backward({.name = "avg_pool_grad",
                            .summary = "dy / n to every position of the window",
                            .operands = {{"dy", "gradient by y"}},
                            .results = {{"dx", "of input_shape"}},
                            .attributes = of_gradient,
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              same_as_first_float(c);
                              const Shape& x = shape_attribute(c, "input_shape");
                              expect_type(c, 0, {c.operand(0).dtype, infer_pool(c, x)});
                              return {{c.operand(0).dtype, x}};
                            }}));
}

}  // namespace stair::ir::ops
