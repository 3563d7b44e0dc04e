#include "ir/ops/move.h"

namespace stair::ir::ops {
namespace {

std::vector<Type> infer_slice(const InferContext& c) {
  Shape shape = c.shape(0);
  const std::vector<std::int64_t>& axes = c.attributes.integers("axes");
  const std::vector<std::int64_t>& starts = c.attributes.integers("starts");
  const std::vector<std::int64_t>& ends = c.attributes.integers("ends");
  c.expect(axes.size() == starts.size() && axes.size() == ends.size(), "axes, starts and ends are of unequal lengths");
  std::vector<bool> cut(shape.size(), false);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = index_of(c, axes[i], shape.size());
    c.expect(!cut[axis], "axes are " + to_string(axes) + ", expected each once");
    cut[axis] = true;
    c.expect(starts[i] >= 0 && starts[i] < ends[i] && ends[i] <= c.shape(0)[axis],
             "[" + std::to_string(starts[i]) + ", " + std::to_string(ends[i]) + ") lies outside of axis " + std::to_string(axis) +
                 " of x " + to_string(c.shape(0)));
    shape[axis] = ends[i] - starts[i];
  }
  return {{c.operand(0).dtype, shape}};
}

std::vector<ValueId> slice_backward(GradientContext& g) {
  const Shape& x = g.type(g.operand(0)).shape;
  std::vector<std::int64_t> padding(2 * x.size(), 0);
  const std::vector<std::int64_t>& axes = g.attributes().integers("axes");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(axes[i] < 0 ? axes[i] + static_cast<std::int64_t>(x.size()) : axes[i]);
    padding[axis] = g.attributes().integers("starts")[i];
    padding[x.size() + axis] = x[axis] - g.attributes().integers("ends")[i];
  }
  return {g.emit("pad", {g.gradient()}, {{"padding", padding}})};
}

}  // namespace

void slice(OpRegistry& registry) {
  const std::vector<std::int64_t> list;
  add_move(
      registry, "slice", "the elements [start, end) along each of the axes",
      {{"axes", "dimensions", list, true}, {"starts", "first elements", list, true}, {"ends", "one behind the last", list, true}},
      infer_slice, slice_backward,
      [](const InferContext& c) {
        Dimensions all = each_element(c);
        for (const std::int64_t axis : c.attributes.integers("axes")) {
          all[0][static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(all[0].size()) : axis)] = absent;
        }
        return all;
      },
      OpSchema::ChannelsLast{.attributes = moved_axes});
}

}  // namespace stair::ir::ops
