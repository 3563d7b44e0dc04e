#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "frontend/verification/onnx/operator.h"

// What moves elements, of any type.

namespace stair::verification::onnx::ops {
namespace {

using List = std::vector<std::int64_t>;

Value reshaped(const NodeRun& run, const Value& x, ir::Shape shape) {
  run.expect(std::all_of(shape.begin(), shape.end(), [](std::int64_t dimension) { return dimension >= 0; }) &&
                 ir::element_count(shape) == ir::element_count(x.shape),
             fmt::format("it makes {} of {}", ir::to_string(shape), ir::to_string(x.shape)));
  // Where the channels are is known of a single scale only, or where nothing but dimensions of 1 behind them goes.
  const bool behind =
      shape.size() > x.axis && std::equal(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(x.axis) + 1, x.shape.begin());
  Value y = x.scale.size() <= 1 || behind ? x : as_numbers(x);
  y.shape = std::move(shape);
  return y;
}

bool run_reshape(NodeRun& run) {
  const Value& x = run.in(0);
  List shape = run.opset < 5 ? run.integers("shape") : run.list(1);
  const bool keeps_zeros = run.integer("allowzero", 0) != 0;
  double known = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && !keeps_zeros) {
      run.expect(i < x.shape.size(), "its shape has a 0 behind the input's dimensions");
      shape[i] = x.shape[i];
    }
    run.expect(shape[i] >= -1 && shape[i] <= 1 << 28, fmt::format("its shape has the dimension {}", shape[i]));
    if (shape[i] > 0) known *= static_cast<double>(shape[i]);
  }
  run.expect(std::count(shape.begin(), shape.end(), -1) <= 1 && known <= 1 << 28, "its shape doesn't say how many elements there are");
  for (std::int64_t& dimension : shape) {
    if (dimension == -1) dimension = known == 0 ? 0 : x.count() / static_cast<std::int64_t>(known);
  }
  run.yield(reshaped(run, x, std::move(shape)));
  return true;
}

bool run_flatten(NodeRun& run) {
  const Value& x = run.in(0);
  const auto rank = static_cast<std::int64_t>(x.shape.size());
  std::int64_t axis = run.integer("axis", 1);
  run.expect(axis >= -rank && axis <= rank, fmt::format("its axis is {}, of {} dimensions", axis, rank));
  if (axis < 0) axis += rank;
  const std::int64_t rows = ir::element_count({x.shape.begin(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis)});
  run.yield(reshaped(run, x, {rows, rows == 0 ? 0 : x.count() / rows}));
  return true;
}

List axes_of(NodeRun& run, std::size_t rank) {
  List axes = run.opset < 13 ? run.integers("axes") : run.has(1) ? run.list(1) : List{};
  for (std::int64_t& axis : axes) axis = static_cast<std::int64_t>(run.axis(axis, rank));
  std::sort(axes.begin(), axes.end());
  run.expect(std::adjacent_find(axes.begin(), axes.end()) == axes.end(), "it has an axis twice");
  return axes;
}

bool run_squeeze(NodeRun& run) {
  const Value& x = run.in(0);
  List axes = axes_of(run, x.shape.size());
  const bool all = axes.empty();
  ir::Shape shape;
  for (std::size_t d = 0; d < x.shape.size(); ++d) {
    const bool named = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end();
    run.expect(!named || x.shape[d] == 1, fmt::format("it removes dimension {} of {}", d, ir::to_string(x.shape)));
    if (!named && !(all && x.shape[d] == 1)) shape.push_back(x.shape[d]);
  }
  run.yield(reshaped(run, x, std::move(shape)));
  return true;
}

bool run_unsqueeze(NodeRun& run) {
  const Value& x = run.in(0);
  const std::size_t more = (run.opset < 13 ? run.integers("axes") : run.list(1)).size();
  run.expect(more + x.shape.size() <= 16, "it has more than 16 dimensions");
  ir::Shape shape = x.shape;
  for (const std::int64_t axis : axes_of(run, x.shape.size() + more)) shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), 1);
  run.yield(reshaped(run, x, std::move(shape)));
  return true;
}

// Each element from the place in x that `from` says.
Value moved(const Value& x, ir::Shape shape, const std::function<std::int64_t(std::int64_t)>& from) {
  Value y = made(x.type, std::move(shape));
  const bool keeps_integers = x.scale.size() == 1;
  if (keeps_integers) {
    y.integers.resize(y.reals.size());
    y.reals.clear();
    y.scale = x.scale;
    y.sum = x.sum;
  }
  for (std::int64_t i = 0; i < y.count(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (y.is_real() && !keeps_integers) {
      y.reals[at] = x.number(from(i));
    } else {
      y.integers[at] = x.integers[static_cast<std::size_t>(from(i))];
    }
  }
  return y;
}

bool run_transpose(NodeRun& run) {
  const Value& x = run.in(0);
  const std::size_t rank = x.shape.size();
  List permutation(rank);
  std::iota(permutation.rbegin(), permutation.rend(), 0);
  permutation = run.integers("perm", permutation);
  List sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  run.expect(sorted.size() == rank && (rank == 0 || (sorted.front() == 0 && sorted.back() == static_cast<std::int64_t>(rank) - 1)) &&
                 std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end(),
             fmt::format("its perm is [{}], of {} dimensions", fmt::join(permutation, ", "), rank));
  List strides(rank, 1);
  for (std::size_t d = rank; d-- > 1;) strides[d - 1] = strides[d] * x.shape[d];
  ir::Shape shape;
  for (const std::int64_t d : permutation) shape.push_back(x.shape[static_cast<std::size_t>(d)]);
  Value one_scale = x;
  if (x.is_dequantized()) one_scale.scale = {1};
  Value y = moved(one_scale, shape, [&](std::int64_t i) {
    std::int64_t at = 0;
    for (std::size_t d = rank; d-- > 0; i /= shape[d]) at += i % shape[d] * strides[static_cast<std::size_t>(permutation[d])];
    return at;
  });
  y.scale = x.scale;
  while (y.axis < rank && permutation[y.axis] != static_cast<std::int64_t>(x.axis)) ++y.axis;
  run.yield(std::move(y));
  return true;
}

// Indices may be computed of the input: tables of functions are read so.
bool run_gather(NodeRun& run) {
  const Value& x = run.in(0);
  const Value& indices = run.in(1);
  run.expect(!indices.is_real(), "its indices aren't integers");
  const std::size_t axis = run.axis(run.integer("axis", 0), x.shape.size());
  const std::int64_t size = x.shape[axis];
  const auto begin = x.shape.begin();
  const std::int64_t inner = ir::element_count({begin + static_cast<std::ptrdiff_t>(axis) + 1, x.shape.end()});
  ir::Shape shape(begin, begin + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), begin + static_cast<std::ptrdiff_t>(axis) + 1, x.shape.end());
  for (const std::int64_t index : indices.integers) {
    if (index < -size || index >= size) run.fail(fmt::format("it has the index {}, of {} elements", index, size));
  }
  run.yield(moved(x, std::move(shape), [&](std::int64_t i) {
    const std::int64_t index = indices.integers[static_cast<std::size_t>(i / inner % indices.count())];
    return (i / inner / indices.count() * size + (index < 0 ? index + size : index)) * inner + i % inner;
  }));
  return true;
}

bool run_shape(NodeRun& run) {
  const ir::Shape& shape = run.in(0).shape;
  const auto rank = static_cast<std::int64_t>(shape.size());
  const auto end = [&](const char* name, std::int64_t without) {
    const std::int64_t given = run.integer(name, without);
    return std::clamp<std::int64_t>(given < 0 ? given + rank : given, 0, rank);
  };
  const std::int64_t from = end("start", 0);
  const std::int64_t to = std::max(from, end("end", rank));
  Value y = made(ElementType::i64, {to - from});
  y.integers.assign(shape.begin() + from, shape.begin() + to);
  y.constant = true;
  run.yield(std::move(y));
  return true;
}

bool run_identity(NodeRun& run) {
  run.yield(run.in(0));
  return true;
}

// Of any shape that both broadcast to.
bool run_expand(NodeRun& run) {
  const Value& x = run.in(0);
  const List& asked = run.list(1);
  const std::size_t rank = std::max(asked.size(), x.shape.size());
  const auto aligned = [rank](const List& shape, std::size_t d) {
    return d + shape.size() < rank ? std::int64_t{1} : shape[d + shape.size() - rank];
  };
  ir::Shape shape;
  for (std::size_t d = 0; d < rank; ++d) {
    const std::int64_t own = aligned(x.shape, d);
    const std::int64_t to = aligned(asked, d);
    run.expect(own == to || own == 1 || to == 1, fmt::format("it makes {} of {}", ir::to_string(asked), ir::to_string(x.shape)));
    shape.push_back(own == 1 ? to : own);
  }
  run.yield(moved(x, shape, [&](std::int64_t i) {
    std::int64_t at = 0;
    std::int64_t stride = 1;
    for (std::size_t d = rank; d-- > 0; i /= shape[d]) {
      const std::int64_t own = aligned(x.shape, d);
      at += own == 1 ? 0 : i % shape[d] * stride;
      stride *= own;
    }
    return at;
  }));
  return true;
}

// Of integers; of real numbers the layers say it.
bool run_concat(NodeRun& run) {
  for (std::size_t i = 0; i < run.count(); ++i) {
    if (run.in(i).is_real()) return false;
  }
  ir::Shape shape = run.in(0).shape;
  const std::size_t axis = run.axis(run.integer("axis", 1), shape.size());
  for (std::size_t i = 1; i < run.count(); ++i) {
    ir::Shape other = run.in(i).shape;
    const std::int64_t more = axis < other.size() ? other[axis] : 0;
    if (axis < other.size()) other[axis] = shape[axis];
    run.expect(other == shape && run.in(i).type == run.in(0).type, "it joins values that don't fit");
    shape[axis] += more;
  }
  Value y = made(run.in(0).type, shape);
  const std::int64_t inner = ir::element_count({shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end()});
  const std::int64_t row = shape[axis] * inner;
  std::int64_t begin = 0;
  for (std::size_t n = 0; n < run.count(); ++n) {
    const Value& x = run.in(n);
    const std::int64_t own = x.shape[axis] * inner;
    for (std::int64_t i = 0; i < x.count(); ++i)
      y.integers[static_cast<std::size_t>(i / own * row + begin + i % own)] = x.integers[static_cast<std::size_t>(i)];
    begin += own;
  }
  run.yield(std::move(y));
  return true;
}

bool run_argmax(NodeRun& run) {
  const Value& x = run.in(0);
  const std::size_t axis = run.axis(run.integer("axis", 0), x.shape.size());
  const bool keeps = run.integer("keepdims", 1) != 0;
  const bool last = run.integer("select_last_index", 0) != 0;
  const std::int64_t size = x.shape[axis];
  run.expect(size > 0, "it looks for the largest of nothing");
  ir::Shape shape = x.shape;
  shape[axis] = 1;
  if (!keeps) shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  Value y = made(ElementType::i64, shape);
  const std::int64_t inner = ir::element_count({x.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.shape.end()});
  for (std::int64_t i = 0; i < y.count(); ++i) {
    const auto at = [&](std::int64_t k) { return x.number((i / inner * size + k) * inner + i % inner); };
    std::int64_t& best = y.integers[static_cast<std::size_t>(i)];
    for (std::int64_t k = 1; k < size; ++k) {
      if (at(k) > at(best) || (last && at(k) == at(best))) best = k;
    }
  }
  run.yield(std::move(y));
  return true;
}

// Of integers; of real numbers the layers say it.
bool run_reduce(NodeRun& run, bool sums) {
  const Value& x = run.in(0);
  if (x.is_real()) return false;
  const std::size_t rank = x.shape.size();
  List axes = run.has(1) ? run.list(1) : run.integers("axes");
  const bool keeps = run.integer("keepdims", 1) != 0;
  if (axes.empty() && run.integer("noop_with_empty_axes", 0) == 0) {
    axes.resize(rank);
    std::iota(axes.begin(), axes.end(), 0);
  }
  ir::Shape kept = x.shape;
  for (std::int64_t& axis : axes) {
    axis = static_cast<std::int64_t>(run.axis(axis, rank));
    kept[static_cast<std::size_t>(axis)] = 1;
  }
  run.expect(x.count() > 0, "it reduces nothing");
  Value y = made(x.type, kept);
  std::vector<bool> begun(y.integers.size(), false);
  List strides(rank, 1);
  for (std::size_t d = rank; d-- > 1;) strides[d - 1] = strides[d] * kept[d];
  for (std::int64_t i = 0; i < x.count(); ++i) {
    std::int64_t to = 0;
    std::int64_t rest = i;
    for (std::size_t d = rank; d-- > 0; rest /= x.shape[d]) to += kept[d] == 1 ? 0 : rest % x.shape[d] * strides[d];
    const auto at = static_cast<std::size_t>(to);
    const std::int64_t value = x.integers[static_cast<std::size_t>(i)];
    std::int64_t& into = y.integers[at];
    const auto total = static_cast<std::int64_t>(static_cast<std::uint64_t>(into) + static_cast<std::uint64_t>(value));
    into = !begun[at] ? value : sums ? wrapped(x.type, total) : std::max(into, value);
    begun[at] = true;
  }
  if (!keeps) {
    ir::Shape shape;
    for (std::size_t d = 0; d < rank; ++d) {
      if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) == axes.end()) shape.push_back(kept[d]);
    }
    y.shape = shape;
  }
  run.yield(std::move(y));
  return true;
}

}  // namespace

void moving(OperatorRegistry& registry) {
  registry.add({"Reshape", run_reshape});
  registry.add({"Flatten", run_flatten});
  registry.add({"Squeeze", run_squeeze});
  registry.add({"Unsqueeze", run_unsqueeze});
  registry.add({"Transpose", run_transpose});
  registry.add({"Gather", run_gather});
  registry.add({"Shape", run_shape});
  registry.add({"Expand", run_expand});
  registry.add({"ArgMax", run_argmax});
  registry.add({"Concat", run_concat});
  registry.add({"Identity", run_identity});
  registry.add({"ReduceSum", [](NodeRun& run) { return run_reduce(run, true); }});
  registry.add({"ReduceMax", [](NodeRun& run) { return run_reduce(run, false); }});
}

}  // namespace stair::verification::onnx::ops
