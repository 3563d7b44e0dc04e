#include "ir/ops/common.h"

namespace stair::ir::ops {
namespace {

struct Activation {
  const char* name;
  const char* summary;
  const char* derivative;  // what its gradient op computes
  std::vector<AttributeSpec> attributes = {};
  std::optional<OpSchema::Clamp> clamp = {};
};

void add(OpRegistry& registry, const Activation& activation) {
  const std::string gradient_op = std::string(activation.name) + "_grad";
  registry.add({.name = activation.name,
                .summary = activation.summary,
                .operands = {{"x", "any floats"}},
                .results = {{"y", "of the type of x"}},
                .attributes = activation.attributes,
                .infer = same_as_first_float,
                .gradient = gradient([gradient_op](GradientContext& g) -> std::vector<ValueId> {
                  return {g.emit(gradient_op, {g.gradient(), g.operand(0)}, g.attributes())};
                }),
                .integer = unary_table(),
                .clamp = activation.clamp,
                .in_place = 0,
                .layer = OpSchema::Layer{}});
  registry.add({.name = gradient_op,
                .summary = activation.derivative,
                .operands = {{"dy", "gradient by y"}, {"x", "its operand"}},
                .results = {{"dx", "gradient by x"}},
                .attributes = activation.attributes,
                .infer = same_as_first_float,
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only),
                .in_place = 0});
}

}  // namespace

void activations(OpRegistry& registry) {
  add(registry, {"relu", "max(x, 0)", "dy where x > 0, else 0", {}, OpSchema::Clamp{0.0, std::nullopt}});
  add(registry, {"relu6", "min(max(x, 0), 6)", "dy where 0 < x < 6, else 0", {}, OpSchema::Clamp{0.0, 6.0}});
  add(registry, {"leaky_relu", "x where x > 0, else slope x", "dy where x > 0, else slope dy", {{"slope", "for negative x", 0.01}}});
  add(registry, {"sigmoid", "1 / (1 + exp(-x))", "dy s (1 - s), s = sigmoid(x)"});
  add(registry, {"tanh", "tanh(x)", "dy (1 - tanh(x)^2)"});
  add(registry, {"hard_sigmoid", "min(max(x + 3, 0), 6) / 6", "dy / 6 where -3 < x < 3, else 0"});
  add(registry,
      {"hard_swish", "x min(max(x + 3, 0), 6) / 6 (Howard 2019, section 5.2)", "dy (2 x + 3) / 6 within (-3, 3), dy above, 0 below"});
  add(registry, {"gelu", "x Phi(x), Phi the normal distribution (Hendrycks, Gimpel 2016)", "dy (Phi(x) + x phi(x))"});
}

}  // namespace stair::ir::ops
