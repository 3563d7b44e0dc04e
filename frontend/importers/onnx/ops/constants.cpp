#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "frontend/importers/onnx/broadcasting.h"

namespace stair::frontend::onnx::ops {
namespace {

void add_constant_only(OperatorRegistry& registry, const char* name, std::function<void(NodeContext&)> fold) {
  registry.add({name, "", {}, std::move(fold)});
}

void fold_constant(NodeContext& c) {
  const auto one = [&](ElementType type, double number, ir::Shape shape) {
    Constant made = zeros(type, std::move(shape));
    made.set(0, number);
    return made;
  };
  if (c.has_attribute("value")) return c.yield(c.tensor("value"));
  if (c.has_attribute("value_float")) return c.yield(one(ElementType::f32, c.real("value_float", 0), {}));
  if (c.has_attribute("value_int")) {
    Constant made = integers_constant({c.integer("value_int", 0)});
    made.shape.clear();
    return c.yield(std::move(made));
  }
  if (c.has_attribute("value_ints")) return c.yield(integers_constant(c.integer_list("value_ints")));
  if (c.has_attribute("value_floats")) {
    const std::vector<float>& numbers = c.node.attributes.at("value_floats").reals;
    return c.yield(Constant{ElementType::f32, {static_cast<std::int64_t>(numbers.size())}, numbers, {}});
  }
  c.fail("has no value that numbers are");
}

void fold_constant_of_shape(NodeContext& c) {
  const ir::Shape shape = c.integers(0, "shape");
  Constant value = zeros(ElementType::f32, {1});
  if (c.has_attribute("value")) value = c.tensor("value");
  c.expect(value.count() == 1, "its value isn't one number");
  Constant made = zeros(value.type, shape);
  if (made.is_real()) {
    made.reals.assign(made.reals.size(), value.reals.front());
  } else {
    made.integers.assign(made.integers.size(), value.integers.front());
  }
  c.yield(std::move(made));
}

void fold_range(NodeContext& c) {
  for (std::size_t i = 0; i < 3; ++i) c.expect(c.constant(i, "a bound").count() == 1, "its bounds aren't one number each");
  const Constant& start = c.constant(0, "start");
  const double from = start.number(0);
  const double step = c.constant(2, "delta").number(0);
  const double count = std::max(std::ceil((c.constant(1, "limit").number(0) - from) / step), 0.0);
  c.expect(step != 0 && count <= 0x1p24, fmt::format("would have {} elements, expected at most 2^24", count));
  Constant made = zeros(start.type, {static_cast<std::int64_t>(count)});
  for (std::int64_t i = 0; i < made.count(); ++i) made.set(i, from + static_cast<double>(i) * step);
  c.yield(std::move(made));
}

using Comparison = bool (*)(double, double);

void fold_comparison(NodeContext& c, Comparison compare) {
  const Constant& a = c.constant(0, "A");
  const Constant& b = c.constant(1, "B");
  Constant made = zeros(ElementType::boolean, broadcast_shape(a.shape, b.shape));
  for (std::int64_t i = 0; i < made.count(); ++i) {
    made.set(i, static_cast<double>(
                    compare(a.number(broadcast_index(a.shape, made.shape, i)), b.number(broadcast_index(b.shape, made.shape, i)))));
  }
  c.yield(std::move(made));
}

// (q - zero point) times a scale, or one for each element along an axis, or for each block of them.
void fold_dequantize(NodeContext& c) {
  const Constant& q = c.constant(0, "x");
  const Constant& scale = c.constant(1, "x_scale");
  const std::int64_t block = c.integer("block_size", 0);
  std::int64_t axis = c.integer("axis", 1);
  c.expect(!q.is_real() && (!c.has(2) || c.constant(2, "x_zero_point").count() == scale.count()), "its scales and zero points don't fit");
  std::int64_t inner = 1;
  std::int64_t size = 1;
  if (scale.count() != 1) {
    axis = c.axis(axis, q.shape.size());
    for (std::size_t d = static_cast<std::size_t>(axis) + 1; d < q.shape.size(); ++d) inner *= q.shape[d];
    size = q.shape[static_cast<std::size_t>(axis)];
    ir::Shape expected{size};
    c.expect(block >= 0 && block <= std::max<std::int64_t>(size, 1), fmt::format("its block_size is {}, of {} elements", block, size));
    if (block > 0) {
      expected = q.shape;
      expected[static_cast<std::size_t>(axis)] = (size + block - 1) / block;
    }
    c.expect(scale.shape == expected, fmt::format("its scales are {}, expected {}", ir::to_string(scale.shape), ir::to_string(expected)));
  }
  Constant made = zeros(ElementType::f32, q.shape);
  for (std::int64_t i = 0; i < made.count(); ++i) {
    const std::int64_t along = i / inner % size;
    const std::int64_t of_block = block > 0 ? (i / inner / size * ((size + block - 1) / block) + along / block) * inner + i % inner : along;
    const std::int64_t s = scale.count() == 1 ? 0 : of_block;
    made.set(i, (q.number(i) - (c.has(2) ? c.constant(2, "x_zero_point").number(s) : 0)) * scale.number(s));
  }
  c.yield(std::move(made));
}

void fold_where(NodeContext& c) {
  const Constant& which = c.constant(0, "condition");
  const Constant& x = c.constant(1, "X");
  const Constant& y = c.constant(2, "Y");
  c.expect(x.is_real() == y.is_real(), "chooses between floats and integers");
  Constant made = zeros(x.type, broadcast_shape(which.shape, broadcast_shape(x.shape, y.shape)));
  for (std::int64_t i = 0; i < made.count(); ++i) {
    const bool first = which.number(broadcast_index(which.shape, made.shape, i)) != 0;
    const Constant& from = first ? x : y;
    const auto at = static_cast<std::size_t>(broadcast_index(from.shape, made.shape, i));
    if (made.is_real()) {
      made.reals[static_cast<std::size_t>(i)] = from.reals[at];
    } else {
      made.integers[static_cast<std::size_t>(i)] = from.integers[at];
    }
  }
  c.yield(std::move(made));
}

void add_comparison(OperatorRegistry& registry, const char* name, Comparison compare) {
  add_constant_only(registry, name, [compare](NodeContext& c) { fold_comparison(c, compare); });
}

void add_function(OperatorRegistry& registry, const char* name, double (*function)(double)) {
  add_constant_only(registry, name, [function](NodeContext& c) { c.yield(folded(c.constant(0, "X"), function)); });
}

}  // namespace

void constants(OperatorRegistry& registry) {
  add_constant_only(registry, "Constant", fold_constant);
  add_constant_only(registry, "ConstantOfShape", fold_constant_of_shape);
  add_constant_only(registry, "Range", fold_range);
  add_comparison(registry, "Equal", [](double a, double b) { return a == b; });
  add_comparison(registry, "Less", [](double a, double b) { return a < b; });
  add_comparison(registry, "LessOrEqual", [](double a, double b) { return a <= b; });
  add_comparison(registry, "Greater", [](double a, double b) { return a > b; });
  add_comparison(registry, "GreaterOrEqual", [](double a, double b) { return a >= b; });
  add_comparison(registry, "And", [](double a, double b) { return a != 0 && b != 0; });
  add_comparison(registry, "Or", [](double a, double b) { return a != 0 || b != 0; });
  add_function(registry, "Not", [](double x) { return static_cast<double>(x == 0); });
  add_function(registry, "Floor", [](double x) { return std::floor(x); });
  add_function(registry, "Ceil", [](double x) { return std::ceil(x); });
  add_function(registry, "Round", [](double x) { return std::nearbyint(x); });
  add_function(registry, "Sin", [](double x) { return std::sin(x); });
  add_function(registry, "Cos", [](double x) { return std::cos(x); });
  add_constant_only(registry, "Where", fold_where);
  add_constant_only(registry, "DequantizeLinear", fold_dequantize);
}

}  // namespace stair::frontend::onnx::ops
