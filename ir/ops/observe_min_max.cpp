#include "ir/ops/observer.h"

namespace stair::ir::ops {

void observe_min_max(OpRegistry& registry) {
  registry.add({.name = "observe_min_max",
                .summary = "the least and largest value ever seen",
                .operands = observer_operands(),
                .results = observer_results(),
                .infer = infer_observer,
                .gradient = no_gradient(ranges_follow_data),
                .integer = no_integer_form(on_parameters)});
}

}  // namespace stair::ir::ops
