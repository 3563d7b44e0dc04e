#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

void negate(OpRegistry& registry) {
  registry.add({.name = "negate",
                .summary = "-x",
                .operands = {{"x", "any floats"}},
                .results = {{"y", "of the type of x"}},
                .infer = same_as_first_float,
                .deployed = true,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> { return {g.emit("negate", {g.gradient()})}; }),
                .integer = unary_table("negate"),
                .in_place = {0},
                .dimensions = each_element,
                .layer = OpSchema::Layer{}});
}

}  // namespace stair::ir::ops
