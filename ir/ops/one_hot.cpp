#include "ir/ops/common.h"

namespace stair::ir::ops {

void one_hot(OpRegistry& registry) {
  registry.add({.name = "one_hot",
                .summary = "1 at the label, 0 elsewhere",
                .operands = {{"labels", "i32[N], in [0, classes)"}},
                .results = {{"y", "f32[N, classes]"}},
                .attributes = {{"classes", "columns", std::int64_t{1}, true, at_least(1)}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_operand(c, 0, c.operand(0).dtype == DType::i32 && c.shape(0).size() == 1, "i32[N]");
                  return {{DType::f32, {c.shape(0)[0], c.attributes.integer("classes")}}};
                },
                .gradient = no_gradient("labels aren't differentiated"),
                .integer = no_integer_form("stands in losses only")});
}

}  // namespace stair::ir::ops
