#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

void standard_deviation(OpRegistry& registry) {
  registry.add({.name = "standard_deviation",
                .summary = "sqrt(var + eps)",
                .operands = {{"var", "variances"}},
                .results = {{"y", "of the shape of var"}},
                .attributes = {{"eps", "added to the variance", 1e-5}},
                .infer = same_as_first_float,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  // d sqrt(v) = dy / (2 sqrt(v))
                  return {g.emit("div", {g.gradient(), g.emit("add", {g.result(), g.result()})})};
                }),
                .integer = no_integer_form("is known before deployment"),
                .dimensions = each_element});
}

}  // namespace stair::ir::ops
