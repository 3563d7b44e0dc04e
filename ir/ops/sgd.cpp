#include "ir/ops/update.h"

namespace stair::ir::ops {

void sgd(OpRegistry& registry) {
  registry.add(of_update({.name = "sgd",
                          .summary = "w - lr (g + lambda w)",
                          .operands = update_operands(),
                          .results = {{"w", "updated"}},
                          .attributes = {weight_decay()},
                          .infer = [](const InferContext& c) { return like_weights(c, 1); },
                          .in_place = {0}}));
}

}  // namespace stair::ir::ops
