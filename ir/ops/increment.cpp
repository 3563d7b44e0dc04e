#include "ir/ops/common.h"

namespace stair::ir::ops {

void increment(OpRegistry& registry) {
  registry.add({.name = "increment",
                .summary = "n + by",
                .operands = {{"n", "i64[1]"}, {"by", "i64[1]; 1 where it is absent", true}},
                .results = {reduced(Reduction::max, "y", "i64[1]")},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_type(c, 0, {DType::i64, {1}});
                  expect_type(c, 1, {DType::i64, {1}});
                  return {c.operand(0)};
                },
                .gradient = no_gradient("a counter"),
                .integer = no_integer_form("a counter"),
                .in_place = {0}});
}

}  // namespace stair::ir::ops
