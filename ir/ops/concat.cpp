#include "ir/ops/move.h"

namespace stair::ir::ops {
namespace {

std::vector<Type> infer_concat(const InferContext& c) {
  Shape shape = c.shape(0);
  const std::size_t axis = axis_of(c, shape.size());
  // What has nothing of the examples stands beside each of them.
  const auto repeat = [axis](Shape& one, const Shape& many) {
    if (axis > 0 && one.front() == 1) one.front() = many.front();
  };
  for (std::size_t i = 1; i < c.operands.size(); ++i) {
    Shape other = c.shape(i);
    const bool same_rank = other.size() == shape.size();
    const std::int64_t more = same_rank ? other[axis] : 0;
    if (same_rank) {
      other[axis] = shape[axis];
      repeat(other, shape);
      repeat(shape, other);
    }
    c.expect(other == shape && c.operand(i).dtype == c.operand(0).dtype,
             "operands " + to_string(c.operand(0)) + " and " + to_string(c.operand(i)) + " don't join along axis " + std::to_string(axis));
    shape[axis] += more;
  }
  return {{c.operand(0).dtype, shape}};
}

// The slice of dy that belongs to operand i of a concatenation.
std::vector<ValueId> concat_backward(GradientContext& g) {
  std::vector<ValueId> gradients(g.operand_count(), absent);
  const auto rank = static_cast<std::int64_t>(g.type(g.gradient()).shape.size());
  std::int64_t axis = g.attributes().integer("axis");
  if (axis < 0) axis += rank;
  std::int64_t start = 0;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const Shape shape = g.type(g.operand(i)).shape;
    const std::int64_t end = start + shape[static_cast<std::size_t>(axis)];
    if (g.needs(i)) {
      const ValueId own = g.emit("slice", {g.gradient()}, {{"axes", Shape{axis}}, {"starts", Shape{start}}, {"ends", Shape{end}}});
      gradients[i] = g.reduce_to(own, shape);
    }
    start = end;
  }
  return gradients;
}

}  // namespace

void concat(OpRegistry& registry) {
  add_move(registry, "concat",
           "the operands one after another along axis; one whose dimension 0 is 1 is repeated where others have more there",
           {{"axis", "negative counts from the end", std::int64_t{1}}}, infer_concat, concat_backward, beside_axis,
           OpSchema::ChannelsLast{.images = 0, .attributes = moved_axis}, moves(), true);
}

}  // namespace stair::ir::ops
