#include "ir/ops/row_norm.h"

namespace stair::ir::ops {
namespace {

// Of a layer: all of x where it has no such axis, which the op's inference says.
Shape layer_norm_parameters(const Attributes& attributes, const Shape& x) {
  const auto rank = static_cast<std::int64_t>(x.size());
  const std::int64_t axis = attributes.integer("axis");
  const std::int64_t first = axis < 0 ? axis + rank : axis;
  return first < 0 || first >= rank ? x : Shape(x.begin() + first, x.end());
}

Dimensions before_axis(const InferContext& c) {
  const std::size_t axis = axis_of(c, c.shape(0).size());
  return of_first(c, [axis](std::size_t d) { return d < axis; });
}

}  // namespace

void layer_norm(OpRegistry& registry) {
  add_row_norm(registry, {.name = "layer_norm",
                          .summary = "(x - m) / sqrt(v + eps) * gamma + beta with mean m and biased variance v over the dimensions from "
                                     "axis on (Ba, Kiros, Hinton 2016)",
                          .attributes = {row_norm_axis()},
                          .parameters = row_norm_suffix,
                          .count = layer_norm_count,
                          .integer_op = "layer_norm_integer",
                          .integer_attributes = [](const Attributes& a, const Shape&) -> Attributes {
                            return {{"axis", a.at("axis")}};
                          },
                          .layer_parameters = layer_norm_parameters,
                          .dimensions = before_axis});
}

}  // namespace stair::ir::ops
