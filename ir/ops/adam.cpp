#include "ir/ops/update.h"

namespace stair::ir::ops {

void adam(OpRegistry& registry) {
  const Bounds share{.low = 0, .high = 1, .below_high = true};
  registry.add(of_update({.name = "adam",
                          .summary = "Adam (Kingma, Ba 2015, algorithm 1); decoupled: AdamW (Loshchilov, Hutter 2019, algorithm 2)",
                          .operands = update_operands({{"m", "first moment"}, {"v", "second moment"}, {"step", "steps done, i64[1]"}}),
                          .results = {{"w", "updated"}, {"m", "updated"}, {"v", "updated"}},
                          .attributes = {{"beta1", "decay of the first moment", 0.9, false, share},
                                         {"beta2", "decay of the second moment", 0.999, false, share},
                                         {"eps", "added to the root of the second moment", 1e-8, false, at_least(0)},
                                         weight_decay(),
                                         {"decoupled", "decay the weights, not through the moments", false}},
                          .infer =
                              [](const InferContext& c) {
                                expect_type(c, 5, {DType::i64, {1}});
                                return like_weights(c, 3);
                              },
                          .in_place = {0, 3, 4}}));
}

}  // namespace stair::ir::ops
