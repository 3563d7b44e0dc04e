#include "ir/ops/histogram.h"

namespace stair::ir::ops {

void percentile_range(OpRegistry& registry) {
  registry.add({.name = "percentile_range",
                .summary = "the range that leaves out, at either end, no more than 100 - percentile in a hundred of what was seen",
                .operands = {{"histogram", "f32[4097]"}},
                .results = range_results(),
                .attributes = {{"percentile", "of all elements, at either end", 99.99, false, {.low = 50, .high = 100, .above_low = true}}},
                .infer = range_of_histogram,
                .gradient = no_gradient(ranges_follow_data),
                .integer = no_integer_form(on_parameters)});
}

}  // namespace stair::ir::ops
