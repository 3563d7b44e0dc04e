#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

void global_max_pool(OpRegistry& registry) {
  registry.add({.name = "global_max_pool",
                .summary = "the largest of each channel's plane",
                .operands = {{"x", "floats, u8 or s8 [N,C,H,W]"}},
                .results = {{"y", "[N,C,1,1]"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_ordered(c, 0);
                  c.expect(c.shape(0).size() == 4, "x is " + to_string(c.shape(0)) + ", expected [N,C,H,W]");
                  return {{c.operand(0).dtype, {c.shape(0)[0], c.shape(0)[1], 1, 1}}};
                },
                .deployed = true,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit("reduce_max_grad", {g.gradient(), g.operand(0)}, {{"axes", Shape{2, 3}}, {"keep", true}})};
                }),
                .integer = moves(),
                .dimensions = each_plane,
                .layer = OpSchema::Layer{.on_sequences = "global_max_pool"}});
}

}  // namespace stair::ir::ops
