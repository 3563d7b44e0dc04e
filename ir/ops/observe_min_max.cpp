#include "ir/ops/observer.h"

namespace stair::ir::ops {

void observe_min_max(OpRegistry& registry) {
  registry.add(on_parameters({.name = "observe_min_max",
                              .summary = "the least and largest value ever seen",
                              .operands = observer_operands(),
                              .results = observer_results(),
                              .infer = infer_observer},
                             ranges_follow_data));
}

}  // namespace stair::ir::ops
