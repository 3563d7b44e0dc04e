#include <utility>

#include "ir/ops/reduction.h"

namespace stair::ir::ops {

void global_avg_pool(OpRegistry& registry) {
  IntegerForm form = averages("reduce_sum_integer", reduced_count);
  form.attributes = [](const Attributes&) { return Attributes{{"axes", std::vector<std::int64_t>{2, 3}}, {"keep", true}}; };
  registry.add({.name = "global_avg_pool",
                .summary = "the mean of each channel's plane",
                .operands = {{"x", "[N,C,H,W]"}},
                .results = {{"y", "[N,C,1,1]"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  c.expect(c.shape(0).size() == 4, "x is " + to_string(c.shape(0)) + ", expected [N,C,H,W]");
                  return {{c.operand(0).dtype, {c.shape(0)[0], c.shape(0)[1], 1, 1}}};
                },
                .deployed = true,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  const Shape& shape = g.type(g.operand(0)).shape;
                  return {g.emit("avg_pool_grad", {g.gradient()}, {{"input_shape", shape}, {"kernel", Shape{shape[2], shape[3]}}})};
                }),
                .integer = std::move(form),
                .dimensions = each_plane,
                .layer = OpSchema::Layer{.on_sequences = "global_avg_pool"}});
}

}  // namespace stair::ir::ops
