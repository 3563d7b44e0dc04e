#include "passes/optimizers/moments.h"

namespace stair::passes::optimizers_ {

void adamw(OptimizerRegistry& registry) {
  registry.add({.name = "adamw",
                .summary = "Adam with weight decay of its own (Loshchilov, Hutter 2019, algorithm 2)",
                .attributes = moment_members(),
                .next = [](ParameterUpdate& u) { return next_by_moments(u, true); }});
}

}  // namespace stair::passes::optimizers_
