#include "passes/optimizer.h"

namespace stair::passes::optimizers_ {
namespace {

ir::ValueId next_by_sgd(ParameterUpdate& u) {
  const double momentum = u.options.number("momentum");
  if (momentum == 0) return u.emit("sgd", {u.parameter, u.gradient, u.learning_rate}, {{"weight_decay", u.weight_decay}})[0];
  const ir::ValueId velocity = u.slot("momentum");
  const std::vector<ir::ValueId> next =
      u.emit("sgd_momentum", {u.parameter, u.gradient, u.learning_rate, velocity},
             {{"momentum", momentum}, {"nesterov", u.options.at("nesterov")}, {"weight_decay", u.weight_decay}});
  u.update(velocity, next[1]);
  return next[0];
}

ir::IdleSetting idle_of_sgd(const ir::Attributes& options) {
  if (options.boolean("nesterov") && options.number("momentum") == 0)
    return {"nesterov", "found true, which has no effect without 'momentum'"};
  return {};
}

}  // namespace

void sgd(OptimizerRegistry& registry) {
  registry.add(
      {.name = "sgd",
       .summary = "stochastic gradient descent, with momentum (Polyak 1964) or Nesterov's (Sutskever 2013)",
       .attributes = {{.name = "momentum", .doc = "share of the last step; 0: without", .fallback = 0.0, .bounds = ir::within(0, 0.9999)},
                      {.name = "nesterov", .doc = "with momentum: looks ahead", .fallback = false}},
       .proportional_to_gradient = true,
       .next = next_by_sgd,
       .idle = idle_of_sgd});
}

}  // namespace stair::passes::optimizers_
