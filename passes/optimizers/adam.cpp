#include "passes/optimizers/moments.h"

namespace stair::passes::optimizers_ {

void adam(OptimizerRegistry& registry) {
  registry.add({.name = "adam",
                .summary = "Adam (Kingma, Ba 2015, algorithm 1); weight decay is part of the gradient",
                .attributes = moment_members(),
                .next = [](ParameterUpdate& u) { return next_by_moments(u, false); }});
}

}  // namespace stair::passes::optimizers_
