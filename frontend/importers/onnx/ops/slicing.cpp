#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "frontend/importers/onnx/broadcasting.h"

namespace stair::frontend::onnx::ops {
namespace {

using List = std::vector<std::int64_t>;

// Elements of one dimension, which nodes pick, repeat or turn around.
struct Picked {
  std::int64_t axis;
  List indices;
};

bool is_range(const List& indices) {
  for (std::size_t i = 1; i < indices.size(); ++i) {
    if (indices[i] != indices[i - 1] + 1) return false;
  }
  return true;
}

Constant pick(const Constant& from, const Picked& picked) {
  const auto axis = static_cast<std::size_t>(picked.axis);
  const std::int64_t inner = std::accumulate(from.shape.begin() + picked.axis + 1, from.shape.end(), std::int64_t{1}, std::multiplies<>());
  const auto count = static_cast<std::int64_t>(picked.indices.size());
  const std::int64_t size = from.shape[axis];
  ir::Shape shape = from.shape;
  shape[axis] = count;
  return rearranged(from, shape, [&](std::int64_t i) {
    return (i / inner / count * size + picked.indices[static_cast<std::size_t>(i / inner % count)]) * inner + i % inner;
  });
}

// Ranges become one slice, all else a gather an axis.
Value emit_picks(NodeContext& c, Value x, std::vector<Picked> picks, const std::string& suffix = "") {
  std::erase_if(picks, [&](const Picked& each) {
    const std::int64_t size = x.shape[static_cast<std::size_t>(each.axis)];
    return is_range(each.indices) && static_cast<std::int64_t>(each.indices.size()) == size;
  });
  List axes;
  List starts;
  List ends;
  std::vector<Picked> others;
  for (Picked& each : picks) {
    c.expect(!each.indices.empty(), fmt::format("leaves nothing of dimension {} of {}", each.axis, ir::to_string(x.shape)));
    if (!is_range(each.indices)) {
      others.push_back(std::move(each));
      continue;
    }
    axes.push_back(c.layer_axis(each.axis));
    starts.push_back(each.indices.front());
    ends.push_back(each.indices.back() + 1);
  }
  if (!axes.empty()) x = c.emit("slice", {x}, {{"axes", axes}, {"starts", starts}, {"ends", ends}}, {}, others.empty() ? suffix : "slice");
  for (std::size_t i = 0; i < others.size(); ++i) {
    x = c.emit("gather", {x}, {{"axis", c.layer_axis(others[i].axis)}, {"indices", others[i].indices}}, {},
               i + 1 == others.size() ? suffix : "picked");
  }
  return x;
}

void yield_picks(NodeContext& c, const std::vector<Picked>& picks) {
  if (!c.is_constant(0)) return c.yield(emit_picks(c, c.floats(0), picks));
  Constant made = c.constant(0, "data");
  for (const Picked& each : picks) made = pick(made, each);
  c.yield(std::move(made));
}

void import_slice(NodeContext& c) {
  const ir::Shape& x = c.input(0).shape;
  const bool inputs = c.opset >= 10;
  const List starts = inputs ? c.integers(1, "starts") : c.integer_list("starts");
  const List ends = inputs ? c.integers(2, "ends") : c.integer_list("ends");
  List axes(starts.size());
  std::iota(axes.begin(), axes.end(), std::int64_t{0});
  if (inputs && c.has(3)) axes = c.integers(3, "axes");
  if (!inputs) axes = c.integer_list("axes", axes);
  List steps(starts.size(), 1);
  if (inputs && c.has(4)) steps = c.integers(4, "steps");
  c.expect(ends.size() == starts.size() && axes.size() == starts.size() && steps.size() == starts.size(),
           "its starts, ends, axes and steps are of different lengths");
  std::vector<Picked> picks;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Picked picked{c.axis(axes[i], x.size()), {}};
    const std::int64_t size = x[static_cast<std::size_t>(picked.axis)];
    const std::int64_t step = std::clamp<std::int64_t>(steps[i], -size - 1, size + 1);
    c.expect(step != 0, "a step is 0");
    const auto place = [&](std::int64_t at, std::int64_t low, std::int64_t high) {
      return std::clamp(at < 0 ? std::max(at, -2 * size - 2) + size : at, low, high);
    };
    const std::int64_t begin = step > 0 ? place(starts[i], 0, size) : place(starts[i], -1, size - 1);
    const std::int64_t end = step > 0 ? place(ends[i], 0, size) : place(ends[i], -1, size - 1);
    for (std::int64_t at = begin; step > 0 ? at < end : at > end; at += step) picked.indices.push_back(at);
    picks.push_back(std::move(picked));
  }
  yield_picks(c, picks);
}

void import_split(NodeContext& c) {
  const ir::Shape& x = c.input(0).shape;
  const std::int64_t axis = c.axis(c.integer("axis", 0), x.size());
  const std::int64_t size = x[static_cast<std::size_t>(axis)];
  const auto parts = static_cast<std::int64_t>(c.node.outputs.size());
  c.expect(parts > 0 && c.integer("num_outputs", parts) == parts, fmt::format("has {} outputs", parts));
  const std::int64_t each = (size + parts - 1) / parts;
  List sizes(static_cast<std::size_t>(parts), each);
  sizes.back() = size - each * (parts - 1);
  sizes = c.list_until(13, "split", 1).value_or(sizes);
  std::int64_t sum = 0;
  for (const std::int64_t part : sizes) {
    c.expect(part > 0 && part <= size, fmt::format("splits {} of {} into {}", axis, ir::to_string(x), ir::to_string(sizes)));
    sum += part;
  }
  c.expect(sum == size && static_cast<std::int64_t>(sizes.size()) == parts,
           fmt::format("splits {} of {} into {}", axis, ir::to_string(x), ir::to_string(sizes)));
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    Picked picked{axis, List(static_cast<std::size_t>(sizes[i]))};
    std::iota(picked.indices.begin(), picked.indices.end(), begin);
    begin += sizes[i];
    if (c.is_constant(0)) {
      c.yield(pick(c.constant(0, "input"), picked), i);
    } else {
      c.yield(emit_picks(c, c.floats(0), {picked}, fmt::format("part{}", i)), i);
    }
  }
}

// Rows of a table, which the model's input says.
void import_embedding(NodeContext& c, std::int64_t axis) {
  const Value& indices = c.input(1);
  const Constant& table = c.constant(0, "data");
  c.expect(axis == 0 && table.shape.size() == 2 && table.is_real(),
           fmt::format("looks up dimension {} of {}, expected dimension 0 of floats [rows, features]", axis, ir::to_string(table.shape)));
  c.expect(!is_real(indices.type), fmt::format("its indices are {}, expected integers", to_string(indices.type)));
  c.layers.read_as_indices(indices.layer);
  Parameters parameters;
  parameters["weight"] = to_tensor(table, table.shape);
  Value rows = c.emit("embedding", {indices}, {{"rows", table.shape[0]}, {"features", table.shape[1]}}, std::move(parameters));
  c.layers.find(rows.layer)->weights_of = c.node.inputs[0];
  rows.type = ElementType::f32;
  c.yield(std::move(rows));
}

void import_gather(NodeContext& c) {
  const ir::Shape x = c.input(0).shape;
  const std::int64_t axis = c.axis(c.integer("axis", 0), x.size());
  if (c.is_constant(0) && !c.is_constant(1)) return import_embedding(c, axis);
  const std::int64_t size = x[static_cast<std::size_t>(axis)];
  const Constant& indices = c.constant(1, "indices");
  c.expect(!indices.is_real(), "its indices are floats, expected integers");
  Picked picked{axis, {}};
  for (const std::int64_t index : indices.integers) {
    if (index < -size || index >= size) c.fail(fmt::format("an index is {}, of {} elements", index, size));
    picked.indices.push_back(index < 0 ? index + size : index);
  }
  ir::Shape shape = x;
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, indices.shape.begin(), indices.shape.end());
  if (c.is_constant(0)) {
    Constant made = pick(c.constant(0, "data"), picked);
    made.shape = shape;
    return c.yield(std::move(made));
  }
  c.yield(c.emit_reshape(emit_picks(c, c.floats(0), {picked}, indices.shape.size() == 1 ? "" : "picked"), shape));
}

// Where a part of what is joined begins, along the axis, and what it is made of.
struct Part {
  std::int64_t begin, size;
  std::vector<Value> values;  // none: a constant
};

// The part with zeros in the place of all others.
Value emit_padded(NodeContext& c, const Part& part, std::int64_t axis, std::int64_t total, const std::string& suffix) {
  const Value joined =
      part.values.size() == 1 ? part.values.front() : c.emit("concat", part.values, {{"axis", c.layer_axis(axis)}}, {}, "part");
  const std::size_t rank = joined.shape.size() + static_cast<std::size_t>(c.lead);
  List padding(2 * rank, 0);
  padding[static_cast<std::size_t>(c.layer_axis(axis))] = part.begin;
  padding[rank + static_cast<std::size_t>(c.layer_axis(axis))] = total - part.begin - part.size;
  return c.emit("pad", {joined}, {{"padding", padding}}, {}, suffix);
}

// Values are joined; constants, which are alike for all examples, are added to zeros in their places.
void import_concat(NodeContext& c) {
  c.expect(c.count() > 0, "has no inputs");
  const std::size_t rank = c.input(0).shape.size();
  const std::int64_t axis = c.axis(c.integer("axis", 1), rank);
  const auto d = static_cast<std::size_t>(axis);
  std::vector<Part> parts;
  std::int64_t total = 0;
  ir::Shape shape;
  for (std::size_t i = 0; i < c.count(); ++i) {
    const Value& input = c.input(i);
    c.expect(input.shape.size() == rank, fmt::format("joins values of {} and {} dimensions", rank, input.shape.size()));
    const bool follows = !c.is_constant(i) && !parts.empty() && !parts.back().values.empty();
    if (!follows) parts.push_back({total, 0, {}});
    if (!c.is_constant(i)) {
      parts.back().values.push_back(c.floats(i));
      shape = input.shape;
    }
    parts.back().size += input.shape[d];
    total += input.shape[d];
  }
  if (parts.size() == 1 && parts.front().values.size() == 1) return c.yield(parts.front().values.front());
  if (parts.size() == 1) return c.yield(c.emit("concat", parts.front().values, {{"axis", c.layer_axis(axis)}}));
  c.expect(c.lead == 1 || axis != 0, "joins along dimension 0, which counts the examples");
  shape[d] = total;
  if (c.lead == 0) shape[0] = 1;
  Constant added = zeros(ElementType::f32, shape);
  bool adds = false;
  const std::int64_t inner = std::accumulate(shape.begin() + axis + 1, shape.end(), std::int64_t{1}, std::multiplies<>());
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < c.count(); ++i) {
    const std::int64_t size = c.input(i).shape[d];
    if (c.is_constant(i)) {
      const Constant part = of_one_example(c, c.constant(i, "an input"), rank);
      ir::Shape expected = shape;
      expected[d] = size;
      c.expect(part.is_real() && part.shape == expected,
               fmt::format("joins {} to {} along {}", ir::to_string(part.shape), ir::to_string(shape), axis));
      for (std::int64_t at = 0; at < part.count(); ++at) {
        const std::int64_t outer = at / inner / size;
        added.set((outer * total + begin + at / inner % size) * inner + at % inner, part.number(at));
        adds = adds || part.number(at) != 0;
      }
    }
    begin += size;
  }
  std::erase_if(parts, [](const Part& part) { return part.values.empty(); });
  Value sum;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Value padded = emit_padded(c, parts[i], axis, total, adds || parts.size() > 1 ? "padded" : "");
    sum = i == 0 ? padded : emit_binary(c, "add", sum, padded, adds || i + 1 < parts.size() ? "sum" : "");
  }
  c.yield(adds ? emit_binary(c, "add", sum, c.emit_constant(std::move(added))) : sum);
}

void fold_concat(NodeContext& c) {
  Constant made = c.constant(0, "an input");
  const std::int64_t axis = c.axis(c.integer("axis", 1), made.shape.size());
  const auto d = static_cast<std::size_t>(axis);
  for (std::size_t i = 1; i < c.count(); ++i) {
    const Constant& next = c.constant(i, "an input");
    ir::Shape expected = made.shape;
    if (d < next.shape.size()) expected[d] = next.shape[d];
    c.expect(next.shape == expected && next.is_real() == made.is_real(),
             fmt::format("joins {} and {} along {}", ir::to_string(made.shape), ir::to_string(next.shape), axis));
    ir::Shape shape = made.shape;
    shape[d] += next.shape[d];
    Constant joined = zeros(made.type, shape);
    const std::int64_t inner = std::accumulate(shape.begin() + axis + 1, shape.end(), std::int64_t{1}, std::multiplies<>());
    for (std::int64_t at = 0; at < joined.count(); ++at) {
      const std::int64_t along = at / inner % shape[d];
      const std::int64_t outer = at / inner / shape[d];
      const bool first = along < made.shape[d];
      const Constant& from = first ? made : next;
      const auto source = static_cast<std::size_t>((outer * from.shape[d] + (first ? along : along - made.shape[d])) * inner + at % inner);
      if (joined.is_real()) {
        joined.reals[static_cast<std::size_t>(at)] = from.reals[source];
      } else {
        joined.integers[static_cast<std::size_t>(at)] = from.integers[source];
      }
    }
    made = std::move(joined);
  }
  c.yield(std::move(made));
}

void import_tile(NodeContext& c) {
  const ir::Shape x = c.input(0).shape;
  const List repeats = c.integers(1, "repeats");
  c.expect(repeats.size() == x.size(), fmt::format("repeats {} of {}", ir::to_string(repeats), ir::to_string(x)));
  std::vector<Picked> picks;
  for (std::size_t d = 0; d < x.size(); ++d) {
    c.expect(repeats[d] >= 1 && repeats[d] <= (1 << 24) / std::max<std::int64_t>(x[d], 1),
             fmt::format("repeats {} of {}", ir::to_string(repeats), ir::to_string(x)));
    if (repeats[d] == 1) continue;
    Picked picked{static_cast<std::int64_t>(d), {}};
    for (std::int64_t i = 0; i < repeats[d] * x[d]; ++i) picked.indices.push_back(i % x[d]);
    picks.push_back(std::move(picked));
  }
  yield_picks(c, picks);
}

// Begins and ends by dimension, of all of them.
std::pair<List, List> pads_of(NodeContext& c, std::size_t rank) {
  const List given = c.list_until(11, "pads", 1).value_or(List{});
  List axes(rank);
  std::iota(axes.begin(), axes.end(), std::int64_t{0});
  if (c.has(3)) axes = c.integers(3, "axes");
  c.expect(given.size() == 2 * axes.size(), fmt::format("its pads are {}, of {} dimensions", ir::to_string(given), axes.size()));
  List begin(rank, 0);
  List end(rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto d = static_cast<std::size_t>(c.axis(axes[i], rank));
    begin[d] = given[i];
    end[d] = given[i + axes.size()];
    const auto is_small = [](std::int64_t n) { return n >= -(1 << 24) && n <= 1 << 24; };
    c.expect(is_small(begin[d]) && is_small(end[d]), fmt::format("its pads are {}", ir::to_string(given)));
  }
  return {begin, end};
}

// The element of a dimension that stands at a place outside of it.
std::int64_t reflected(std::int64_t at, std::int64_t size, const std::string& mode) {
  if (mode == "edge") return std::clamp<std::int64_t>(at, 0, size - 1);
  if (mode == "wrap") return (at % size + size) % size;
  if (size == 1) return 0;
  const std::int64_t period = 2 * (size - 1);
  const std::int64_t within = (at % period + period) % period;
  return within < size ? within : period - within;
}

void import_pad(NodeContext& c) {
  const std::string mode = c.text("mode", "constant");
  const std::size_t rank = c.input(0).shape.size();
  const auto [begin, end] = pads_of(c, rank);
  Value x = c.floats(0);
  const bool constant = mode == "constant";
  c.expect(constant || mode == "edge" || mode == "reflect" || mode == "wrap",
           fmt::format("its mode is '{}', expected constant, edge, reflect or wrap", mode));
  double value = c.opset < 11 ? c.real("value", 0) : 0;
  if (c.opset >= 11 && c.has(2)) {
    c.expect(c.constant(2, "value").count() == 1, "its value isn't one number");
    value = c.constant(2, "value").number(0);
  }
  std::vector<Picked> picks;
  List padding(2 * (rank + static_cast<std::size_t>(c.lead)), 0);
  bool pads = false;
  for (std::size_t d = 0; d < rank; ++d) {
    const std::int64_t from = constant ? std::max<std::int64_t>(-begin[d], 0) : -begin[d];
    const std::int64_t to = constant ? x.shape[d] + std::min<std::int64_t>(end[d], 0) : x.shape[d] + end[d];
    Picked picked{static_cast<std::int64_t>(d), {}};
    for (std::int64_t at = from; at < to; ++at) picked.indices.push_back(constant ? at : reflected(at, x.shape[d], mode));
    picks.push_back(std::move(picked));
    const auto of_layer = static_cast<std::size_t>(c.layer_axis(static_cast<std::int64_t>(d)));
    padding[of_layer] = constant ? std::max<std::int64_t>(begin[d], 0) : 0;
    padding[of_layer + padding.size() / 2] = constant ? std::max<std::int64_t>(end[d], 0) : 0;
    pads = pads || padding[of_layer] > 0 || padding[of_layer + padding.size() / 2] > 0;
  }
  x = emit_picks(c, x, picks, pads ? "cut" : "");
  c.yield(pads ? c.emit("pad", {x}, {{"padding", padding}, {"value", value}}) : x);
}

}  // namespace

void slicing(OperatorRegistry& registry) {
  registry.add({"Slice", "`slice`; with steps `gather`", import_slice, import_slice});
  registry.add({"Split", "a `slice` each part", import_split});
  registry.add({"Gather", "`gather`, `reshape` by constant indices; `embedding` of a constant table by an input of integers, from 0 on",
                import_gather});
  registry.add({"Concat", "`concat`; constants by `pad` and `add`", import_concat, fold_concat});
  registry.add({"Tile", "`gather`", import_tile});
  registry.add({"Pad", "`pad`, or the padding of what follows; edge, reflect and wrap by `gather`", import_pad});
}

}  // namespace stair::frontend::onnx::ops
