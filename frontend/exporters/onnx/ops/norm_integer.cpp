#include <algorithm>
#include <bit>
#include <cstddef>

#include "frontend/exporters/onnx/requantizing.h"
#include "ir/op.h"

// N-NORM in int64, step by step. The square root is one of doubles, put right by a step where that is off.

namespace stair::frontend::to_onnx::ops {
namespace {

using ir::Node;

class Steps {
 public:
  explicit Steps(Emitter& emit) : emit_(emit) {}
  std::string number(std::int64_t value) { return emit_.scalar(Element::i64, value); }
  std::string op(const std::string& name, const std::string& a, const std::string& b) { return emit_.add(name, {a, b}); }
  std::string with(const std::string& name, const std::string& a, std::int64_t b) { return op(name, a, number(b)); }

  /// ⌊a / 2^t⌋ for t > 0, also below 0.
  std::string shifted(const std::string& a, const std::string& power) { return op("Div", op("Sub", a, op("Mod", a, power)), power); }

  /// ⌊sqrt(a)⌋ for 0 <= a < 2^62.
  std::string root(const std::string& a) {
    const std::string about = emit_.cast(emit_.add("Sqrt", {emit_.cast(a, Element::f64)}), Element::i64);
    const std::string less = emit_.cast(op("Greater", op("Mul", about, about), a), Element::i64);
    const std::string from = op("Sub", about, less);
    const std::string next = with("Add", from, 1);
    const std::string more = emit_.cast(emit_.add("LessOrEqual", {op("Mul", next, next), a}), Element::i64);
    return op("Add", from, more);
  }

 private:
  Emitter& emit_;
};

std::string sum_of_row(Emitter& emit, const std::string& x) {
  return emit.add("ReduceSum", {x, emit.integers(Element::i64, {-1}, {1})}, {integer("keepdims", 1)});
}

// Rows lie along the last dimension: [..., n]. gamma and beta are of the shape of `parameters` there.
std::string normalized(Emitter& emit, const Node& node, const std::string& q, std::int64_t n, const std::string& gamma,
                       const std::string& beta) {
  Steps steps(emit);
  const std::int64_t k = emit.integers(node.operands[3])[0];
  const std::int64_t mantissa = emit.integers(node.operands[4])[0];
  const std::int64_t shift = emit.integers(node.operands[5])[0];
  const auto a = 23 - static_cast<std::int64_t>(std::bit_width(static_cast<std::uint64_t>(n - 1)));
  const std::string sum = sum_of_row(emit, q);
  const std::string squares = sum_of_row(emit, steps.op("Mul", q, q));
  const std::string v = steps.op("Sub", steps.with("Mul", squares, n), steps.op("Mul", sum, sum));
  const std::int64_t e = std::max<std::int64_t>(1, shift >= 0 ? mantissa << shift : mantissa >> std::min<std::int64_t>(-shift, 62));
  const std::string w = steps.with("Add", steps.with("Mul", v, std::int64_t{1} << (2 * a)), e);

  // j: how often w can be multiplied by 4 until it reaches 2^60.
  std::vector<std::int64_t> limits;
  std::vector<std::int64_t> fours;
  std::vector<std::int64_t> halves;
  std::vector<std::int64_t> powers;
  for (std::int64_t j = 0; j < 31; ++j) {
    limits.push_back(std::int64_t{1} << (60 - 2 * j));
    fours.push_back(std::int64_t{1} << (2 * j));
    const std::int64_t t = 44 - a - j;
    powers.push_back(std::int64_t{1} << std::max<std::int64_t>(t, 0));
    halves.push_back(t > 0 ? powers.back() / 2 : 0);
  }
  const auto table = [&](const std::vector<std::int64_t>& values) { return emit.integers(Element::i64, values, {31}); };
  const std::string below = emit.cast(steps.op("Less", w, table(limits)), Element::i64);
  const std::string j = emit.add("Min", {sum_of_row(emit, below), steps.number(30)});
  const auto at_j = [&](const std::vector<std::int64_t>& values) { return emit.add("Gather", {table(values), j}); };
  const std::string g = steps.op("Div", steps.number(std::int64_t{1} << 60), steps.root(steps.op("Mul", w, at_j(fours))));
  const std::string scaled = steps.op("Mul", steps.op("Sub", steps.with("Mul", q, n), sum), g);
  const std::string h = steps.shifted(steps.op("Add", scaled, at_j(halves)), at_j(powers));
  const std::string spread = emit.cast(steps.with("Greater", v, 0), Element::i64);
  const std::string weighted = steps.op("Mul", steps.op("Mul", h, spread), gamma);
  const std::string total = steps.op("Add", weighted, steps.with("Mul", beta, std::int64_t{1} << 16));
  return steps.shifted(steps.with("Add", total, std::int64_t{1} << (k + 15)), steps.number(std::int64_t{1} << (k + 16)));
}

std::string reshaped(Emitter& emit, const std::string& x, const ir::Shape& shape) {
  return emit.add("Reshape", {x, emit.integers(Element::i64, shape, {static_cast<std::int64_t>(shape.size())})});
}

// As it was: the batch is free.
std::string restored(Emitter& emit, const Node& node, const std::string& y) {
  ir::Shape shape = emit.graph().type(node.operands[0]).shape;
  shape.front() = -1;
  return placed(emit, node, node.operands[6], ir::absent, reshaped(emit, y, shape));
}

void emit_layer_norm_integer(Emitter& emit, const Node& node) {
  const ir::Shape& shape = emit.graph().type(node.operands[0]).shape;
  const std::int64_t axis = node.attributes.integer("axis");
  const auto first = static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.size()) : axis);
  const std::int64_t n = ir::element_count({shape.begin() + static_cast<std::ptrdiff_t>(first), shape.end()});
  const std::string q = emit.cast(reshaped(emit, emit(node.operands[0]), {-1, n}), Element::i64);
  const std::string gamma = emit.integers(Element::i64, emit.integers(node.operands[1]), {n});
  const std::string beta = emit.integers(Element::i64, emit.integers(node.operands[2]), {n});
  emit.yields(node.results[0], restored(emit, node, normalized(emit, node, q, n, gamma, beta)));
}

void emit_group_norm_integer(Emitter& emit, const Node& node) {
  const ir::Shape& shape = emit.graph().type(node.operands[0]).shape;
  const std::int64_t groups = node.attributes.integer("groups");
  const std::int64_t inner = ir::element_count({shape.begin() + 2, shape.end()});
  const std::int64_t n = shape[1] / groups * inner;
  const auto by_element = [&](std::size_t operand) {
    std::vector<std::int64_t> all;
    for (const std::int64_t value : emit.integers(node.operands[operand])) all.insert(all.end(), static_cast<std::size_t>(inner), value);
    return emit.integers(Element::i64, all, {groups, n});
  };
  const std::string q = emit.cast(reshaped(emit, emit(node.operands[0]), {-1, groups, n}), Element::i64);
  emit.yields(node.results[0], restored(emit, node, normalized(emit, node, q, n, by_element(1), by_element(2))));
}

}  // namespace

void norm_integer(OperatorRegistry& registry) {
  registry.add({"layer_norm_integer", emit_layer_norm_integer});
  registry.add({"group_norm_integer", emit_group_norm_integer});
}

}  // namespace stair::frontend::to_onnx::ops
