#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "frontend/importers/onnx/broadcasting.h"

namespace stair::frontend::onnx::ops {
namespace {

std::int64_t size_of(const ir::Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

// A node that gives its input another shape.
void add_view(OperatorRegistry& registry, const char* name, const char* becomes, ir::Shape (*shape_of)(NodeContext&, const ir::Shape&)) {
  registry.add({name, becomes,
                [shape_of](NodeContext& c) {
                  const Value x = c.floats(0);
                  c.yield(c.emit_reshape(x, shape_of(c, x.shape)));
                },
                [shape_of](NodeContext& c) {
                  const Constant& x = c.constant(0, "data");
                  ir::Shape shape = shape_of(c, x.shape);
                  c.expect(size_of(shape) == x.count(), fmt::format("makes {} of {}", ir::to_string(shape), ir::to_string(x.shape)));
                  Constant made = x;
                  made.shape = std::move(shape);
                  c.yield(std::move(made));
                }});
}

ir::Shape flattened(NodeContext& c, const ir::Shape& x) {
  const auto rank = static_cast<std::int64_t>(x.size());
  std::int64_t axis = c.integer("axis", 1);
  c.expect(axis >= -rank && axis <= rank, fmt::format("its axis is {}, of {} dimensions", axis, rank));
  if (axis < 0) axis += rank;
  return {size_of({x.begin(), x.begin() + axis}), size_of({x.begin() + axis, x.end()})};
}

void import_flatten(NodeContext& c) {
  const Value x = c.floats(0);
  const ir::Shape shape = flattened(c, x.shape);
  if (x.shape.size() > 1 && c.lead == 0 && c.integer("axis", 1) == 1) return c.yield(c.emit("flatten", {x}));
  c.yield(c.emit_reshape(x, shape));
}

ir::Shape squeezed(NodeContext& c, const ir::Shape& x) {
  const std::optional<std::vector<std::int64_t>> given = c.list_until(13, "axes", 1);
  std::vector<bool> gone(x.size(), false);
  for (std::size_t d = 0; d < x.size(); ++d) gone[d] = !given && x[d] == 1;
  for (const std::int64_t each : given.value_or(std::vector<std::int64_t>{})) {
    const auto d = static_cast<std::size_t>(c.axis(each, x.size()));
    c.expect(x[d] == 1, fmt::format("takes away dimension {} of {}, expected 1", d, ir::to_string(x)));
    gone[d] = true;
  }
  ir::Shape shape;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (!gone[d]) shape.push_back(x[d]);
  }
  return shape;
}

ir::Shape unsqueezed(NodeContext& c, const ir::Shape& x) {
  const std::optional<std::vector<std::int64_t>> given = c.list_until(13, "axes", 1);
  c.expect(given.has_value(), "has no axes");
  const std::size_t rank = x.size() + given->size();
  c.expect(rank <= 16, fmt::format("makes {} dimensions, expected at most 16", rank));
  std::vector<bool> added(rank, false);
  for (const std::int64_t each : *given) added[static_cast<std::size_t>(c.axis(each, rank))] = true;
  c.expect(std::count(added.begin(), added.end(), true) == static_cast<std::ptrdiff_t>(given->size()),
           fmt::format("its axes are {}, expected each once", ir::to_string(*given)));
  ir::Shape shape;
  auto next = x.begin();
  for (std::size_t d = 0; d < rank; ++d) shape.push_back(added[d] ? 1 : *next++);
  return shape;
}

// 0 copies a dimension, one -1 takes what is left.
ir::Shape reshaped(NodeContext& c, const ir::Shape& x) {
  ir::Shape shape = c.integers(1, "shape");
  const bool allows_zero = c.integer("allowzero", 0) != 0;
  std::int64_t known = 1;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0 && !allows_zero) {
      c.expect(d < x.size(), fmt::format("its shape {} copies a dimension that {} hasn't", ir::to_string(shape), ir::to_string(x)));
      shape[d] = x[d];
    }
    c.expect(shape[d] >= -1 && shape[d] <= 2'147'483'647 && (shape[d] <= 0 || known <= 2'147'483'647 / shape[d]),
             fmt::format("its shape is {}", ir::to_string(shape)));
    if (shape[d] > 0) known *= shape[d];
  }
  const auto open = std::find(shape.begin(), shape.end(), std::int64_t{-1});
  if (open != shape.end()) *open = size_of(x) / known;
  c.expect(size_of(shape) == size_of(x), fmt::format("makes {} of {}", ir::to_string(c.integers(1, "shape")), ir::to_string(x)));
  return shape;
}

void import_reshape(NodeContext& c) {
  const Value x = c.floats(0);
  const ir::Shape shape = reshaped(c, x.shape);
  const std::vector<std::int64_t> given = c.integers(1, "shape");
  const auto open = std::find(given.begin(), given.end(), std::int64_t{-1});
  // Of a file for one example, the dimension that it leaves open may hold more.
  const bool keeps_examples = c.lead == 1 || c.batch > 1 || shape.empty() || shape.front() == x.shape.front();
  if (keeps_examples || open == given.end()) return c.yield(c.emit_reshape(x, shape));
  c.yield(c.emit("reshape", {x}, {{"shape", given}}));
}

std::vector<std::int64_t> permutation_of(NodeContext& c, std::size_t rank) {
  std::vector<std::int64_t> permutation(rank);
  std::iota(permutation.rbegin(), permutation.rend(), std::int64_t{0});
  permutation = c.integer_list("perm", permutation);
  std::vector<std::int64_t> sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  bool is_one = sorted.size() == rank;
  for (std::size_t d = 0; is_one && d < rank; ++d) is_one = sorted[d] == static_cast<std::int64_t>(d);
  c.expect(is_one, fmt::format("its perm is {}, of {} dimensions", ir::to_string(permutation), rank));
  return permutation;
}

void import_transpose(NodeContext& c) {
  const Value x = c.floats(0);
  std::vector<std::int64_t> permutation = c.layer_axes(permutation_of(c, x.shape.size()));
  if (c.lead == 1) permutation.insert(permutation.begin(), 0);
  if (std::is_sorted(permutation.begin(), permutation.end())) return c.yield(x);
  c.yield(c.emit("transpose", {x}, {{"permutation", permutation}}));
}

// Repeating is multiplying by ones.
void import_expand(NodeContext& c) {
  Value x = c.floats(0);
  ir::Shape shape = broadcast_shape(x.shape, c.integers(1, "shape"));
  if (shape == x.shape) return c.yield(x);
  if (shape.size() > x.shape.size()) {
    ir::Shape aligned = x.shape;
    aligned.insert(aligned.begin(), shape.size() - x.shape.size(), 1);
    x = c.emit_reshape(x, aligned, "aligned");
  }
  if (c.lead == 0 && shape.front() == x.shape.front()) shape.front() = 1;
  Constant ones = zeros(ElementType::f32, shape);
  std::fill(ones.reals.begin(), ones.reals.end(), 1.0F);
  c.yield(emit_binary(c, "mul", x, c.emit_constant(std::move(ones), "ones")));
}

void import_shape(NodeContext& c) {
  const ir::Shape& shape = c.input(0).shape;
  const auto rank = static_cast<std::int64_t>(shape.size());
  const auto place = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const std::int64_t begin = place(c.integer("start", 0));
  const std::int64_t end = std::max(begin, place(c.integer("end", rank)));
  c.yield(integers_constant({shape.begin() + begin, shape.begin() + end}));
}

void import_size(NodeContext& c) {
  Constant size = integers_constant({size_of(c.input(0).shape)});
  size.shape.clear();
  c.yield(std::move(size));
}

}  // namespace

void shapes(OperatorRegistry& registry) {
  add_view(registry, "Squeeze", "`reshape`", squeezed);
  add_view(registry, "Unsqueeze", "`reshape`", unsqueezed);
  registry.add({"Flatten", "`flatten`, `reshape`", import_flatten, [](NodeContext& c) {
                  Constant made = c.constant(0, "input");
                  made.shape = flattened(c, made.shape);
                  c.yield(std::move(made));
                }});
  registry.add({"Reshape", "`reshape`; the shape may be computed of shapes", import_reshape, [](NodeContext& c) {
                  Constant made = c.constant(0, "data");
                  made.shape = reshaped(c, made.shape);
                  c.yield(std::move(made));
                }});
  registry.add({"Transpose", "`transpose`", import_transpose, [](NodeContext& c) {
                  const Constant& x = c.constant(0, "data");
                  c.yield(transposed(x, permutation_of(c, x.shape.size())));
                }});
  registry.add({"Expand", "`mul` by ones", import_expand, [](NodeContext& c) {
                  const Constant& x = c.constant(0, "input");
                  c.yield(broadcast_to(x, broadcast_shape(x.shape, c.integers(1, "shape"))));
                }});
  registry.add({"Shape", "", import_shape});
  registry.add({"Size", "", import_size});
}

}  // namespace stair::frontend::onnx::ops
