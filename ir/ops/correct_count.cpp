#include "ir/ops/loss.h"

namespace stair::ir::ops {

void correct_count(OpRegistry& registry) {
  registry.add({.name = "correct_count",
                .summary = "of how many labels the logit is the largest, the first of equals",
                .operands = logits_and_labels(),
                .results = {reduced(Reduction::sum, "count", "i32 scalar")},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  infer_classes(c);
                  return {{DType::i32, {}}};
                },
                .gradient = no_gradient("a count has no derivative"),
                .integer = no_integer_form("a metric")});
}

}  // namespace stair::ir::ops
