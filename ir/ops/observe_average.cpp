#include "ir/ops/observer.h"

namespace stair::ir::ops {

void observe_average(OpRegistry& registry) {
  std::vector<OperandSpec> operands = observer_operands();
  operands.push_back({"count", "i64[1], batches seen, at most 1 / momentum; below 1 beside a range: not known, taken as 1 / momentum"});
  std::vector<OperandSpec> results = observer_results();
  results.push_back(reduced(Reduction::max, "count", "the new count"));
  registry.add(on_parameters(
      {.name = "observe_average",
       .summary = "moving average of the batch's least and largest value, which begins as the mean of the batches seen so far: the "
                  "share of batch n is max(momentum, 1 / n)",
       .operands = operands,
       .results = results,
       .attributes =
           {{"momentum", "share of a new batch from batch 1 / momentum on", 0.01, false, {.low = 0, .high = 1, .above_low = true}}},
       .infer =
           [](const InferContext& c) {
             std::vector<Type> types = infer_observer(c);
             expect_type(c, 3, {DType::i64, {1}});
             types.push_back(c.operand(3));
             return types;
           }},
      ranges_follow_data));
}

}  // namespace stair::ir::ops
