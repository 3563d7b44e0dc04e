#include "ir/ops/common.h"

namespace stair::ir::ops {

void increment(OpRegistry& registry) {
  registry.add({.name = "increment",
                .summary = "n + 1",
                .operands = {{"n", "i64[1]"}},
                .results = {{"y", "i64[1]"}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_dtype(c, 0, DType::i64);
                  return {c.operand(0)};
                },
                .gradient = no_gradient("a counter"),
                .integer = no_integer_form("a counter"),
                .in_place = 0});
}

}  // namespace stair::ir::ops
