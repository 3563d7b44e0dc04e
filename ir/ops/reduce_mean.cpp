#include "ir/ops/reduction.h"

namespace stair::ir::ops {
void reduce_mean(OpRegistry& registry) {
  registry.add({.name = "reduce_mean",
                .summary = "mean over the axes",
                .operands = {{"x", "floats"}},
                .results = {{"y", "without the axes, or with 1 in their place"}},
                .attributes = reduction_attributes(),
                .infer = infer_float_reduction,
                .deployed = true,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  const std::int64_t n = element_count(g.type(g.operand(0)).shape) / element_count(g.type(g.result()).shape);
                  const std::string dtype(name_of(g.type(g.gradient()).dtype));
                  const ValueId count = g.emit("constant", {}, {{"value", static_cast<double>(n)}, {"dtype", dtype}});
                  return {g.emit("div", {spread(g, g.gradient()), count})};
                }),
                .integer = averages("reduce_sum_integer", reduced_count),
                .dimensions = beside_reduced,
                .layer = OpSchema::Layer{}});
}

}  // namespace stair::ir::ops
