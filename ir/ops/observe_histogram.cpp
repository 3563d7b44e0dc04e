#include "ir/ops/histogram.h"

namespace stair::ir::ops {

void observe_histogram(OpRegistry& registry) {
  registry.add(on_parameters({.name = "observe_histogram",
                              .summary = "adds to each bin the share of the batch's elements that lie in it",
                              .operands = {{"x", "floats"}, {"histogram", "f32[4097], the sum over the batches seen"}},
                              .results = {reduced(Reduction::mean, "histogram", "the new sum")},
                              .infer = [](const InferContext& c) -> std::vector<Type> {
                                same_as_first_float(c);
                                expect_type(c, 1, {c.operand(0).dtype, {histogram::bins}});
                                return {c.operand(1)};
                              }},
                             ranges_follow_data));
}

}  // namespace stair::ir::ops
