#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {
namespace {

// Those behind the axis move up.
Dimensions without_axis(const InferContext& c) {
  Dimensions all = beside_axis(c);
  std::int64_t next = 0;
  for (std::int64_t& d : all[0]) d = d == absent ? absent : next++;
  return all;
}

}  // namespace

void argmax(OpRegistry& registry) {
  registry.add({.name = "argmax",
                .summary = "where along the axis the largest element stands, the first of equals",
                .operands = {{"x", "floats, u8 or s8"}},
                .results = {{.name = "y",
                             .doc = "i32, without the axis",
                             .within =
                                 [](const Attributes&) {
                                   return Limits{0, limits_of(DType::i32).high};
                                 }}},
                .attributes = {{"axis", "negative counts from the end", std::int64_t{-1}}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  expect_ordered(c, 0);
                  Shape shape = c.shape(0);
                  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis_of(c, shape.size())));
                  return {{DType::i32, shape}};
                },
                .deployed = true,
                .gradient = no_gradient("yields integers"),
                .integer = keeps_order(),
                .dimensions = without_axis,
                .layer = OpSchema::Layer{}});
}

}  // namespace stair::ir::ops
