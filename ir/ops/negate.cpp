#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

void negate(OpRegistry& registry) {
  registry.add({.name = "negate",
                .summary = "-x",
                .operands = {{"x", "floats"}},
                .results = {{"y", "of the type of x"}},
                .infer = same_as_first_float,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> { return {g.emit("negate", {g.gradient()})}; }),
                .integer = no_integer_form("stands in gradients only"),
                .in_place = {0},
                .dimensions = each_element});
}

}  // namespace stair::ir::ops
