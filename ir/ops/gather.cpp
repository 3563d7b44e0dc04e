#include "ir/ops/move.h"

namespace stair::ir::ops {
namespace {

AttributeSpec indices() {
  return {"indices", "from 0 on", std::vector<std::int64_t>{}, true, at_least(0)};
}

// The axis of a tensor x, along which there are as many elements as indices in the result.
std::size_t expect_indices(const InferContext& c, const Shape& x) {
  const std::size_t axis = axis_of(c, x.size());
  const std::vector<std::int64_t>& all = c.attributes.integers("indices");
  c.expect(!all.empty(), "there are no indices, expected at least 1");
  for (const std::int64_t index : all) {
    c.expect(index < x[axis], "index " + std::to_string(index) + " lies outside of axis " + std::to_string(axis) + " of x " + to_string(x));
  }
  return axis;
}

}  // namespace

void gather(OpRegistry& registry) {
  add_move(
      registry, "gather", "the elements at the indices along an axis, in their order",
      {{"axis", "negative counts from the end", std::int64_t{1}}, indices()},
      [](const InferContext& c) -> std::vector<Type> {
        Shape shape = c.shape(0);
        shape[expect_indices(c, c.shape(0))] = static_cast<std::int64_t>(c.attributes.integers("indices").size());
        return {{c.operand(0).dtype, shape}};
      },
      [](GradientContext& g) -> std::vector<ValueId> {
        const Shape shape = g.type(g.operand(0)).shape;
        Attributes attributes = g.attributes();
        attributes.set("input_shape", shape);
        return {g.emit("gather_grad", {g.gradient()}, std::move(attributes))};
      },
      beside_axis, OpSchema::ChannelsLast{.attributes = moved_axis});
  registry.add(of_backward({.name = "gather_grad",
                            .summary = "dy added up at the indices, 0 elsewhere",
                            .operands = {{"dy", "gradient by y"}},
                            .results = {{"dx", "of input_shape"}},
                            .attributes = {{"axis", "negative counts from the end", std::int64_t{1}},
                                           indices(),
                                           {"input_shape", "of x", std::vector<std::int64_t>{}, true}},
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              same_as_first_float(c);
                              const Shape& x = shape_attribute(c, "input_shape");
                              Shape shape = x;
                              shape[expect_indices(c, x)] = static_cast<std::int64_t>(c.attributes.integers("indices").size());
                              expect_type(c, 0, {c.operand(0).dtype, shape});
                              return {{c.operand(0).dtype, x}};
                            }}));
}

}  // namespace stair::ir::ops
