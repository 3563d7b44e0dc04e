#include "ir/ops/histogram.h"

namespace stair::ir::ops {

void mse_range(OpRegistry& registry) {
  registry.add(on_parameters(
      {.name = "mse_range",
       .summary = "of 100 parts of the range of all that was seen, the one whose quantizer has the least mean squared error over it",
       .operands = {{"histogram", "f32[4097]"}},
       .results = range_results(),
       .attributes = range_attributes({{"symmetric", "of the quantizer (affine_parameters)", false}}),
       .infer =
           [](const InferContext& c) {
             quantized_dtype(c);
             return range_of_histogram(c);
           }},
      ranges_follow_data));
}

}  // namespace stair::ir::ops
