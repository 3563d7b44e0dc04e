#include "ir/ops/update.h"

namespace stair::ir::ops {

void weight_average(OpRegistry& registry) {
  registry.add(of_update({.name = "weight_average",
                          .summary = "a + (1 - d) (w - a) with d = min(decay, (1 + t) / (10 + t)) in double and t = step + 1, as "
                                     "TensorFlow's ExponentialMovingAverage with num_updates",
                          .operands = {{"a", "the running average, floats"},
                                       {"w", "what is averaged, of the same shape"},
                                       {"step", "updates before this one, i64[1]"}},
                          .results = {{"y", "the new average"}},
                          .attributes = {{"decay", "share of the average, in the end", 0.999, false, {.low = 0, .high = 1}}},
                          .infer = [](const InferContext& c) -> std::vector<Type> {
                            same_floats(c, 1);
                            expect_type(c, 2, {DType::i64, {1}});
                            return {c.operand(0)};
                          },
                          .in_place = {0}}));
}

}  // namespace stair::ir::ops
