#include "frontend/importers/onnx/broadcasting.h"

#include <fmt/format.h>

#include <algorithm>

namespace stair::frontend::onnx {
namespace {

// Before opset 7: the dimensions from `axis` on, which others follow.
Constant from_axis(NodeContext& c, const Constant& constant, std::size_t rank) {
  if (c.opset >= 7 || c.integer("broadcast", 0) == 0 || !c.has_attribute("axis")) return constant;
  const auto behind =
      static_cast<std::int64_t>(rank) - c.axis(c.integer("axis", 0), rank) - static_cast<std::int64_t>(constant.shape.size());
  Constant aligned = constant;
  for (std::int64_t i = 0; i < behind; ++i) aligned.shape.push_back(1);
  return aligned;
}

}  // namespace

Constant of_one_example(const NodeContext& c, const Constant& constant, std::size_t rank) {
  if (c.lead == 1 || constant.shape.size() < rank || constant.shape.empty() || constant.shape.front() == 1) return constant;
  const std::int64_t row = constant.count() / constant.shape.front();
  for (std::int64_t i = row; i < constant.count(); ++i) {
    if (constant.number(i) != constant.number(i % row))  // of millions: no message beforehand
      c.fail(fmt::format("a constant {} says something else of each example", ir::to_string(constant.shape)));
  }
  ir::Shape shape = constant.shape;
  shape.front() = 1;
  return rearranged(constant, shape, [](std::int64_t i) { return i; });
}

std::vector<Value> broadcast_inputs(NodeContext& c) {
  std::size_t rank = 0;
  std::size_t largest = 0;
  for (std::size_t i = 0; i < c.count(); ++i) {
    std::size_t& of = c.is_constant(i) ? largest : rank;
    of = std::max(of, c.input(i).shape.size());
  }
  std::vector<Value> values;
  for (std::size_t i = 0; i < c.count(); ++i) {
    if (!c.is_constant(i)) {
      Value value = c.floats(i);
      const std::size_t all = std::max(rank, largest);
      if (value.shape.size() < all) {
        ir::Shape shape = value.shape;
        shape.insert(shape.begin(), all - shape.size(), 1);
        value = c.emit_reshape(value, shape, "aligned");
      }
      values.push_back(std::move(value));
      continue;
    }
    const Constant& constant = c.constant(i, "an operand");
    c.expect(constant.is_real(), fmt::format("its input '{}' is of {}, expected float", c.node.inputs[i], to_string(constant.type)));
    values.push_back(c.emit_constant(of_one_example(c, from_axis(c, constant, rank), std::max(rank, largest))));
  }
  return values;
}

Value emit_binary(NodeContext& c, const std::string& layer, const Value& a, const Value& b, const std::string& suffix) {
  return c.emit(layer, {a, b}, {}, {}, suffix);
}

Constant folded(const Constant& a, const Constant& b, const std::function<double(double, double)>& real,
                const std::function<std::int64_t(std::int64_t, std::int64_t)>& whole) {
  Constant made = zeros(a.type, broadcast_shape(a.shape, b.shape));
  for (std::int64_t i = 0; i < made.count(); ++i) {
    const std::int64_t of_a = broadcast_index(a.shape, made.shape, i);
    const std::int64_t of_b = broadcast_index(b.shape, made.shape, i);
    if (whole && !a.is_real() && !b.is_real()) {
      made.integers[static_cast<std::size_t>(i)] =
          whole(a.integers[static_cast<std::size_t>(of_a)], b.integers[static_cast<std::size_t>(of_b)]);
    } else {
      made.set(i, real(a.number(of_a), b.number(of_b)));
    }
  }
  return made;
}

Constant folded(const Constant& a, const std::function<double(double)>& function) {
  Constant made = zeros(a.type, a.shape);
  for (std::int64_t i = 0; i < made.count(); ++i) made.set(i, function(a.number(i)));
  return made;
}

}  // namespace stair::frontend::onnx
