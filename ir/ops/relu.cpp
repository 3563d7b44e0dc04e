#include "ir/ops/common.h"

namespace stair::ir::ops {

void relu(OpRegistry& registry) {
  registry.add({.name = "relu",
                .summary = "max(x, 0)",
                .operands = {{"x", "any float tensor"}},
                .results = {{"y", "of the shape of x"}},
                .attributes = {},
                .infer = same_as_first_float,
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit("relu_grad", {g.gradient(), g.result()})};
                }),
                .integer = unary_table(),
                .clamp = OpSchema::Clamp{0.0, std::nullopt},
                .in_place = 0,
                .layer = OpSchema::Layer{}});
  registry.add({.name = "relu_grad",
                .summary = "dy where y > 0, else 0",
                .operands = {{"dy", "gradient by y"}, {"y", "the result of relu"}},
                .results = {{"dx", "gradient by x"}},
                .attributes = {},
                .infer = same_as_first_float,
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only),
                .in_place = 0});
}

}  // namespace stair::ir::ops
