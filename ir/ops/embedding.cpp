#include <numeric>

#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"
#include "ir/ops/initializers.h"

namespace stair::ir::ops {
namespace {

// [..., D] for indices [...] into a table of D columns.
Shape rows_at(const Shape& indices, std::int64_t columns) {
  Shape shape = indices;
  shape.push_back(columns);
  return shape;
}

std::vector<Type> infer_embedding(const InferContext& c) {
  expect_ordered(c, 0);
  c.expect(c.shape(0).size() == 2, "weight is " + to_string(c.operand(0)) + ", expected [rows, D]");
  expect_dtype(c, 1, DType::i32);
  return {{c.operand(0).dtype, rows_at(c.shape(1), c.shape(0)[1])}};
}

// The indices' dimensions stay where they are.
Dimensions beside_columns(const InferContext& c) {
  Dimensions all{{absent, absent}, Shape(c.shape(1).size())};
  std::iota(all[1].begin(), all[1].end(), 0);
  return all;
}

}  // namespace

void embedding(OpRegistry& registry) {
  registry.add(
      {.name = "embedding",
       .summary = "rows of weight at the indices; an index outside of [0, rows) counts as the nearest within",
       .operands = {{"weight", "[rows, D], floats, u8 or s8"}, {"indices", "i32[...]"}},
       .results = {{"y", "[..., D], of the element type of weight"}},
       .attributes = {quantize_attribute()},
       .infer = infer_embedding,
       .deployed = true,
       .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
         if (!g.needs(0)) return {absent, absent};
         return {g.emit("embedding_grad", {g.gradient(), g.operand(1)}, {{"rows", g.type(g.operand(0)).shape[0]}}), absent};
       }),
       .integer = moves_weights(),
       .dimensions = beside_columns,
       .layer = OpSchema::Layer{
           .attributes = {{"rows", "indices are from 0 to one less", std::int64_t{1}, true, within(1, 0x1p31 - 1)},
                          {"features", "elements of a row", std::int64_t{1}, true, within(1, 0x1p31 - 1)}},
           .parameters = {{.operand = "weight",
                           .type = [](const Attributes& l, const Shape&) -> Type {
                             return {DType::f32, {l.integer("rows"), l.integer("features")}};
                           },
                           .initializer = [](const Attributes& l, const Shape&) { return kaiming_uniform(l.integer("features")); }}}}});
  registry.add(of_backward({.name = "embedding_grad",
                            .summary = "dy added up at the indices, in their order, 0 elsewhere",
                            .operands = {{"dy", "gradient by y"}, {"indices", "i32[...]"}},
                            .results = {{"dweight", "[rows, D]"}},
                            .attributes = {{"rows", "of weight", std::int64_t{1}, true, within(1, 0x1p31 - 1)}},
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              same_as_first_float(c);
                              expect_dtype(c, 1, DType::i32);
                              c.expect(!c.shape(0).empty(), "dy is a scalar, expected [..., D]");
                              const std::int64_t columns = c.shape(0).back();
                              expect_type(c, 0, {c.operand(0).dtype, rows_at(c.shape(1), columns)});
                              const Shape shape{c.attributes.integer("rows"), columns};
                              c.expect(is_valid(shape), "weight is " + to_string(shape) + ", expected " + std::string(expected_shape));
                              return {{c.operand(0).dtype, shape}};
                            }}));
}

}  // namespace stair::ir::ops
