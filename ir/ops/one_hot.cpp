#include "ir/ops/common.h"

namespace stair::ir::ops {

void one_hot(OpRegistry& registry) {
  registry.add({.name = "one_hot",
                .summary = "1 at the label, 0 elsewhere",
                .operands = {{"labels", "i32[N], in [0, classes)"}},
                .results = {{"y", "f32[N, classes]"}},
                .attributes = {{"classes", "columns", std::int64_t{1}, true}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_dtype(c, 0, DType::i32);
                  return {{DType::f32, {element_count(c.shape(0)), c.attributes.integer("classes")}}};
                },
                .gradient = no_gradient("labels aren't differentiated"),
                .integer = no_integer_form("stands in losses only")});
}

}  // namespace stair::ir::ops
