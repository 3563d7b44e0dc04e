#include "ir/ops/common.h"

namespace stair::ir::ops {
namespace {

const char* const update_only = "an update, behind the gradients";

std::vector<Type> like_weights(const InferContext& c, std::size_t results) {
  same_as_first_float(c);
  c.expect(c.operand(1) == c.operand(0), "gradient is " + to_string(c.operand(1)) + ", weights are " + to_string(c.operand(0)));
  expect_single(c, 2);
  return std::vector<Type>(results, c.operand(0));
}

const AttributeSpec weight_decay{"weight_decay", "lambda of L2 decay: g + lambda w", 0.0};
const OperandSpec weights{"w", "parameters"};
const OperandSpec grad{"g", "their gradient"};
const OperandSpec rate{"lr", "learning rate, f32[1]"};

}  // namespace

void optimizers(OpRegistry& registry) {
  registry.add({.name = "sgd",
                .summary = "w - lr (g + lambda w)",
                .operands = {weights, grad, rate},
                .results = {{"w", "updated"}},
                .attributes = {weight_decay},
                .infer = [](const InferContext& c) { return like_weights(c, 1); },
                .gradient = no_gradient(update_only),
                .integer = no_integer_form(update_only),
                .in_place = 0});
  registry.add({.name = "sgd_momentum",
                .summary = "v' = momentum v + g + lambda w; w - lr v', or w - lr (g + lambda w + momentum v') with Nesterov's (Sutskever "
                           "2013, as PyTorch's SGD)",
                .operands = {weights, grad, rate, {"v", "velocity"}},
                .results = {{"w", "updated"}, {"v", "updated"}},
                .attributes = {{"momentum", "of the velocity", 0.9}, {"nesterov", "looks ahead", false}, weight_decay},
                .infer = [](const InferContext& c) { return like_weights(c, 2); },
                .gradient = no_gradient(update_only),
                .integer = no_integer_form(update_only),
                .in_place = 0});
  registry.add({.name = "adam",
                .summary = "Adam (Kingma, Ba 2015, algorithm 1); decoupled: AdamW (Loshchilov, Hutter 2019, algorithm 2)",
                .operands = {weights, grad, rate, {"m", "first moment"}, {"v", "second moment"}, {"step", "steps done, i64[1]"}},
                .results = {{"w", "updated"}, {"m", "updated"}, {"v", "updated"}},
                .attributes = {{"beta1", "decay of the first moment", 0.9},
                               {"beta2", "decay of the second moment", 0.999},
                               {"eps", "added to the root of the second moment", 1e-8},
                               weight_decay,
                               {"decoupled", "decay the weights, not through the moments", false}},
                .infer = [](const InferContext& c) { return like_weights(c, 3); },
                .gradient = no_gradient(update_only),
                .integer = no_integer_form(update_only),
                .in_place = 0});
  registry.add({.name = "clip_norm_factor",
                .summary = "min(1, max_norm / norm) over the norm of all gradients together (Pascanu 2013, algorithm 1)",
                .operands = {{"gradients", "any number of them", false, true}},
                .results = {{"factor", "f32[1]"}},
                .attributes = {{"max_norm", "largest norm", 1.0, true}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  return {{c.operand(0).dtype, {1}}};
                },
                .gradient = no_gradient(update_only),
                .integer = no_integer_form(update_only)});
  registry.add({.name = "clip",
                .summary = "min(max(x, low), high)",
                .operands = {{"x", "floats"}},
                .results = {{"y", "of the type of x"}},
                .attributes = {{"low", "least", -1.0, true}, {"high", "largest", 1.0, true}},
                .infer = same_as_first_float,
                .gradient = no_gradient(update_only),
                .integer = no_integer_form(update_only),
                .in_place = 0});
}

}  // namespace stair::ir::ops
