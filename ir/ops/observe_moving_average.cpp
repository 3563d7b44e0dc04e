#include "ir/ops/observer.h"

namespace stair::ir::ops {

void observe_moving_average(OpRegistry& registry) {
  registry.add(
      {.name = "observe_moving_average",
       .summary = "exponential moving average of the batch's least and largest value (Jacob 2017, section 3.1); the first batch sets them",
       .operands = observer_operands(),
       .results = observer_results(),
       .attributes = {{"momentum", "share of the new batch", 0.01, false, {.low = 0, .high = 1, .above_low = true}}},
       .infer = infer_observer,
       .gradient = no_gradient(ranges_follow_data),
       .integer = no_integer_form(on_parameters)});
}

}  // namespace stair::ir::ops
