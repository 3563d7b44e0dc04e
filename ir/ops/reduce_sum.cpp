#include "ir/ops/reduction.h"

namespace stair::ir::ops {

void reduce_sum(OpRegistry& registry) {
  registry.add({.name = "reduce_sum",
                .summary = "sum over the axes",
                .operands = {{"x", "floats"}},
                .results = {{"y", "without the axes, or with 1 in their place"}},
                .attributes = reduction_attributes(),
                .infer = infer_float_reduction,
                .deployed = true,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> { return {spread(g, g.gradient())}; }),
                .integer = averages("reduce_sum_integer", [](const Graph&, const Node&) { return std::int64_t{1}; }),
                .dimensions = beside_reduced,
                .layer = OpSchema::Layer{}});
}

}  // namespace stair::ir::ops
