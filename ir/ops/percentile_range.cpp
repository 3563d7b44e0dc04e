#include "ir/ops/histogram.h"

namespace stair::ir::ops {

void percentile_range(OpRegistry& registry) {
  registry.add(on_parameters(
      {.name = "percentile_range",
       .summary = "the range that leaves out, at either end, no more than 100 - percentile in a hundred of what was seen",
       .operands = {{"histogram", "f32[4097]"}},
       .results = range_results(),
       .attributes = {{"percentile", "of all elements, at either end", 99.99, false, {.low = 50, .high = 100, .above_low = true}}},
       .infer = range_of_histogram},
      ranges_follow_data));
}

}  // namespace stair::ir::ops
