#include "ir/ops/common.h"

namespace stair::ir::ops {
namespace {

std::size_t position(const InferContext& c, std::int64_t axis, std::size_t rank, const std::string& what) {
  if (axis < 0) axis += static_cast<std::int64_t>(rank);
  c.expect(axis >= 0 && axis < static_cast<std::int64_t>(rank),
           what + " " + std::to_string(axis) + " of a tensor of rank " + std::to_string(rank));
  return static_cast<std::size_t>(axis);
}

std::vector<Type> infer_reshape(const InferContext& c) {
  const Shape& x = c.shape(0);
  Shape shape = c.attributes.integers("shape");
  std::int64_t known = 1;
  std::size_t free = shape.size();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) {
      c.expect(i < x.size(), "dimension " + std::to_string(i) + " of the shape copies one that x " + to_string(x) + " hasn't");
      shape[i] = x[i];
    }
    if (shape[i] == -1) {
      c.expect(free == shape.size(), "shape " + to_string(c.attributes.integers("shape")) + " has more than one -1");
      free = i;
    } else {
      known *= shape[i];
    }
  }
  if (free < shape.size() && known > 0) shape[free] = element_count(x) / known;
  c.expect(element_count(shape) == element_count(x), "x " + to_string(x) + " has " + std::to_string(element_count(x)) +
                                                         " elements, the shape " + to_string(c.attributes.integers("shape")) +
                                                         " doesn't hold them");
  return {{c.operand(0).dtype, shape}};
}

std::vector<Type> infer_flatten(const InferContext& c) {
  const Shape& x = c.shape(0);
  const std::int64_t axis = c.attributes.integer("axis");
  c.expect(axis >= 0 && axis <= static_cast<std::int64_t>(x.size()), "axis " + std::to_string(axis) + " of x " + to_string(x));
  Shape shape{1, 1};
  for (std::size_t i = 0; i < x.size(); ++i) shape[i < static_cast<std::size_t>(axis) ? 0 : 1] *= x[i];
  return {{c.operand(0).dtype, shape}};
}

std::vector<Type> infer_transpose(const InferContext& c) {
  const Shape& x = c.shape(0);
  const std::vector<std::int64_t>& p = c.attributes.integers("permutation");
  std::vector<std::int64_t> sorted = p;
  std::sort(sorted.begin(), sorted.end());
  bool permutes = sorted.size() == x.size();
  for (std::size_t i = 0; permutes && i < sorted.size(); ++i) permutes = sorted[i] == static_cast<std::int64_t>(i);
  c.expect(permutes, "permutation " + to_string(p) + " doesn't permute the dimensions of x " + to_string(x));
  Shape shape;
  for (const std::int64_t axis : p) shape.push_back(x[static_cast<std::size_t>(axis)]);
  return {{c.operand(0).dtype, shape}};
}

std::vector<Type> infer_concat(const InferContext& c) {
  Shape shape = c.shape(0);
  const std::size_t axis = position(c, c.attributes.integer("axis"), shape.size(), "axis");
  for (std::size_t i = 1; i < c.operands.size(); ++i) {
    Shape other = c.shape(i);
    const bool same_rank = other.size() == shape.size();
    const std::int64_t more = same_rank ? other[axis] : 0;
    if (same_rank) other[axis] = shape[axis];
    c.expect(other == shape && c.operand(i).dtype == c.operand(0).dtype,
             "operands " + to_string(c.operand(0)) + " and " + to_string(c.operand(i)) + " don't join along axis " + std::to_string(axis));
    shape[axis] += more;
  }
  return {{c.operand(0).dtype, shape}};
}

std::vector<Type> infer_slice(const InferContext& c) {
  Shape shape = c.shape(0);
  const std::vector<std::int64_t>& axes = c.attributes.integers("axes");
  const std::vector<std::int64_t>& starts = c.attributes.integers("starts");
  const std::vector<std::int64_t>& ends = c.attributes.integers("ends");
  c.expect(axes.size() == starts.size() && axes.size() == ends.size(), "axes, starts and ends are of unequal lengths");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = position(c, axes[i], shape.size(), "axis");
    c.expect(starts[i] >= 0 && starts[i] < ends[i] && ends[i] <= c.shape(0)[axis],
             "[" + std::to_string(starts[i]) + ", " + std::to_string(ends[i]) + ") lies outside of axis " + std::to_string(axis) +
                 " of x " + to_string(c.shape(0)));
    shape[axis] = ends[i] - starts[i];
  }
  return {{c.operand(0).dtype, shape}};
}

std::vector<Type> infer_pad(const InferContext& c) {
  Shape shape = c.shape(0);
  const std::vector<std::int64_t>& padding = c.attributes.integers("padding");
  c.expect(padding.size() == 2 * shape.size() && std::all_of(padding.begin(), padding.end(), [](std::int64_t p) { return p >= 0; }),
           "padding is " + to_string(padding) + ", expected " + std::to_string(2 * shape.size()) +
               " numbers from 0 on (all begins, then all ends) for x " + to_string(shape));
  for (std::size_t i = 0; i < shape.size(); ++i) shape[i] += padding[i] + padding[shape.size() + i];
  return {{c.operand(0).dtype, shape}};
}

std::vector<ValueId> back_to_shape(GradientContext& g) {
  const Shape shape = g.type(g.operand(0)).shape;
  return {g.emit("reshape", {g.gradient()}, {{"shape", shape}})};
}

// The slice of dy that belongs to operand i of a concatenation.
std::vector<ValueId> concat_gradient(GradientContext& g) {
  std::vector<ValueId> gradients(g.operand_count(), absent);
  const auto rank = static_cast<std::int64_t>(g.type(g.gradient()).shape.size());
  std::int64_t axis = g.attributes().integer("axis");
  if (axis < 0) axis += rank;
  std::int64_t start = 0;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const std::int64_t end = start + g.type(g.operand(i)).shape[static_cast<std::size_t>(axis)];
    if (g.needs(i)) gradients[i] = g.emit("slice", {g.gradient()}, {{"axes", Shape{axis}}, {"starts", Shape{start}}, {"ends", Shape{end}}});
    start = end;
  }
  return gradients;
}

std::vector<ValueId> slice_gradient(GradientContext& g) {
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

std::vector<ValueId> pad_gradient(GradientContext& g) {
  const Shape x = g.type(g.operand(0)).shape;
  const std::vector<std::int64_t>& padding = g.attributes().integers("padding");
  Shape axes;
  Shape starts;
  Shape ends;
  for (std::size_t i = 0; i < x.size(); ++i) {
    axes.push_back(static_cast<std::int64_t>(i));
    starts.push_back(padding[i]);
    ends.push_back(padding[i] + x[i]);
  }
  return {g.emit("slice", {g.gradient()}, {{"axes", axes}, {"starts", starts}, {"ends", ends}})};
}

std::vector<ValueId> transpose_gradient(GradientContext& g) {
  const std::vector<std::int64_t>& p = g.attributes().integers("permutation");
  std::vector<std::int64_t> inverse(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) inverse[static_cast<std::size_t>(p[i])] = static_cast<std::int64_t>(i);
  return {g.emit("transpose", {g.gradient()}, {{"permutation", inverse}})};
}

void add_move(OpRegistry& registry, const char* name, const char* summary, std::vector<AttributeSpec> attributes,
              std::function<std::vector<Type>(const InferContext&)> infer, GradientRule rule, bool variadic = false) {
  registry.add({.name = name,
                .summary = summary,
                .operands = {{"x", "any type", false, variadic}},
                .results = {{"y", "of the element type of x"}},
                .attributes = std::move(attributes),
                .infer = std::move(infer),
                .gradient = gradient(std::move(rule)),
                .integer = moves(),
                .layer = OpSchema::Layer{}});
}

}  // namespace

void shape(OpRegistry& registry) {
  const std::vector<std::int64_t> list;
  const AttributeSpec padding{"padding", "all begins, then all ends", list, true};
  add_move(registry, "reshape", "the same elements in another shape",
           {{"shape", "0 copies a dimension of x, one -1 takes what is left", list, true}}, infer_reshape, back_to_shape);
  add_move(registry, "flatten", "a matrix: the dimensions before axis, and the others",
           {{"axis", "first dimension of the columns", std::int64_t{1}}}, infer_flatten, back_to_shape);
  add_move(registry, "transpose", "dimension i of the result is dimension permutation[i] of x",
           {{"permutation", "of the dimensions", list, true}}, infer_transpose, transpose_gradient);
  add_move(registry, "concat", "the operands one after another along axis", {{"axis", "negative counts from the end", std::int64_t{1}}},
           infer_concat, concat_gradient, true);
  add_move(registry, "slice", "the elements [start, end) along each of the axes",
           {{"axes", "dimensions", list, true}, {"starts", "first elements", list, true}, {"ends", "one behind the last", list, true}},
           infer_slice, slice_gradient);
  add_move(registry, "pad", "x surrounded by `value`", {padding, {"value", "between the edges of x and of the result", 0.0}}, infer_pad,
           pad_gradient);
  registry.add({.name = "pad_integer",
                .summary = "N-MOVE: x surrounded by its zero point",
                .operands = {{"x", "u8 or s8"}, {"x_zero_point", "i32[1]"}},
                .results = {{"y", "of the element type of x"}},
                .attributes = {padding},
                .infer =
                    [](const InferContext& c) {
                      expect_quantized(c, 0);
                      return infer_pad(c);
                    },
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
}

}  // namespace stair::ir::ops
