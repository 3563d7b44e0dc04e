#include "ir/ops/update.h"

namespace stair::ir::ops {

void sgd_momentum(OpRegistry& registry) {
  registry.add(of_update(
      {.name = "sgd_momentum",
       .summary = "v' = momentum v + g + lambda w; w - lr v', or w - lr (g + lambda w + momentum v') with Nesterov's (Sutskever "
                  "2013, as PyTorch's SGD)",
       .operands = update_operands({{"v", "velocity"}}),
       .results = {{"w", "updated"}, {"v", "updated"}},
       .attributes = {{"momentum", "of the velocity", 0.9, false, at_least(0)}, {"nesterov", "looks ahead", false}, weight_decay()},
       .infer = [](const InferContext& c) { return like_weights(c, 2); },
       .in_place = {0, 3}}));
}

}  // namespace stair::ir::ops
