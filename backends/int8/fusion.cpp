#include "backends/int8/fusion.h"

#include <algorithm>
#include <array>

#include "backends/int8/memory.h"
#include "backends/range.h"
#include "ir/numerics.h"
#include "ir/op.h"

namespace stair::backends::int8 {

namespace {

bool rescales(const ir::Node& node) {
  return node.op->name == "requantize" || node.op->name == "requantize_fixed" || node.op->name == "dequantize_accumulator";
}

bool adds(const ir::Node& node) {
  return node.op->name == "add_fixed" || (node.op->name == "point_binary" && node.attributes.text("function") != "mul");
}

FixedPoint taken_apart(std::int32_t mantissa, std::int32_t shift) {
  return {mantissa, std::max(shift, 0), std::max(-shift, 0)};
}

std::int32_t integer(const ir::TensorView& tensor, std::int64_t i = 0) {
  return tensor.as<std::int32_t>()[i];
}

// An optional operand; those at the end may be left out.
ir::TensorView optional(std::span<const ir::TensorView> operands, std::size_t i) {
  return i < operands.size() ? operands[i] : ir::TensorView{};
}

// The parameters of channels, one array behind the other.
struct Arrays {
  std::int32_t* offset;
  float* multiplier;
  std::int32_t* mantissa;
  std::int32_t* left;
  std::int32_t* right;
  float* steps;

  static constexpr std::int64_t count = 6;
  static std::int64_t length(std::int64_t channels) { return (channels + 31) / 16 * 16; }  // 16 more may be read

  Arrays(std::int64_t channels, std::byte* memory) {
    auto* integers = reinterpret_cast<std::int32_t*>(memory);
    auto* floats = reinterpret_cast<float*>(memory);
    const std::int64_t n = length(channels);
    std::fill_n(integers, count * n, 0);
    offset = integers;
    multiplier = floats + n;
    mantissa = integers + 2 * n;
    left = integers + 3 * n;
    right = integers + 4 * n;
    steps = floats + 5 * n;
  }
};

// Copies a per-channel tensor, or repeats its only element.
template <class T>
void copy_channels(const ir::TensorView& tensor, std::int64_t channels, T* to) {
  if (tensor.count() == 1) {
    std::fill_n(to, channels, *tensor.as<T>());
  } else {
    std::copy_n(tensor.as<T>(), channels, to);
  }
}

// N-BIAS: before the rescale in integers, or behind it in floats.
void read_bias(const ir::TensorView& bias, std::int64_t channels, Arrays& arrays, Epilogue& e) {
  if (bias.data == nullptr) return;
  if (bias.type.dtype == ir::DType::i32) {
    copy_channels(bias, channels, arrays.offset);
  } else {
    copy_channels(bias, channels, arrays.steps);
    e.steps = arrays.steps;
  }
}

void read_fixed(const ir::TensorView& mantissa, const ir::TensorView& shift, bool float_bias, std::int64_t channels, Arrays& arrays) {
  copy_channels(mantissa, channels, arrays.mantissa);
  copy_channels(shift, channels, arrays.left);
  for (std::int64_t c = 0; c < channels; ++c) {
    constexpr std::int32_t fraction_bits = 8;  // ir::rescale_by_fixed
    const std::int32_t whole = float_bias ? std::min(arrays.left[c] + fraction_bits, 31) : arrays.left[c];
    const FixedPoint fixed = taken_apart(arrays.mantissa[c], whole);
    arrays.left[c] = fixed.left;
    arrays.right[c] = fixed.right;
  }
}

}  // namespace

bool shares_parameters(const ir::Graph& graph, const ir::Node& rescale) {
  for (std::size_t i = 1; i < rescale.operands.size(); ++i) {
    const bool present = rescale.operands[i] != ir::absent && rescale.op->operands[i].name != "range";
    if (present && graph.type(rescale.operands[i]).shape != ir::Shape{1}) return false;
  }
  return true;
}

// Operands: a, b, and then as in their schemas. A product has one multiplier, `fixed`.
Residual residual_of(const ir::Node& node, std::size_t own, std::span<const ir::TensorView> operands) {
  const std::size_t other = 1 - own;
  Residual r;
  r.other_signed = operands[other].type.dtype == ir::DType::s8;
  const auto finish = [&](const ir::TensorView& zero_point, const ir::TensorView& range) {
    const ir::Range bounds = range_of(node, range);
    r.zero_point = integer(zero_point);
    r.lo = bounds.lo;
    r.hi = bounds.hi;
  };
  if (node.op->name == "point_binary") {
    const bool subtracts = node.attributes.text("function") == "sub";
    const auto scale = [&](std::size_t i) { return *operands[2 + 2 * i].as<float>() * (subtracts && i == 1 ? -1.0F : 1.0F); };
    r.join = Join::point;
    r.own_scale = scale(own);
    r.other_scale = scale(other);
    r.own_zero = integer(operands[3 + 2 * own]);
    r.other_zero = integer(operands[3 + 2 * other]);
    r.scale = *operands[6].as<float>();
    finish(operands[7], optional(operands, 8));
    return r;
  }
  const auto fixed = [&](std::size_t i) {
    const auto at = static_cast<std::int64_t>(i);
    return taken_apart(integer(operands[4], at), integer(operands[5], at));
  };
  r.join = Join::fixed;
  r.own_zero = integer(operands[2 + own]);
  r.other_zero = integer(operands[2 + other]);
  finish(operands[6], optional(operands, 7));
  if (node.op->name == "mul_fixed") {
    r.fixed = fixed(0);
    return r;
  }
  const bool subtracts = node.attributes.boolean("subtract");
  r.own_fixed = fixed(own);
  r.other_fixed = fixed(other);
  r.fixed = fixed(2);
  r.own_sign = subtracts && own == 1 ? -1 : 1;
  r.other_sign = subtracts && other == 1 ? -1 : 1;
  return r;
}

Fusion::Fusion(const ir::Graph& graph, std::span<const ir::NodeId> nodes) : sums(&graph.node(nodes[0])) {
  rescale_at = join_at = sums->operands.size();
  if (nodes.size() > 1) {
    rescale = &graph.node(nodes[1]);
    join_at += rescale->operands.size();
  }
  if (nodes.size() > 2 && adds(graph.node(nodes[2]))) {
    join = &graph.node(nodes[2]);
    own = join->operands[0] == rescale->results[0] ? 0 : 1;
  }
}

Fusion Fusion::of_rescale(const ir::Node& node) {
  Fusion fusion;
  fusion.rescale = &node;
  fusion.join_at = node.operands.size();
  return fusion;
}

std::size_t Fusion::operand_count() const {
  return join_at + (join != nullptr ? join->operands.size() : 0);
}

bool Fusion::is_activation(std::size_t operand) const {
  const bool second = operand == 1 && sums != nullptr && sums->op->name == "matmul_integer";
  return operand == 0 || second || (rescale != nullptr && operand == rescale_at) ||
         (join != nullptr && (operand == join_at || operand == join_at + 1));
}

std::size_t Fusion::parameter_bytes(std::int64_t channels) {
  return whole_lines(static_cast<std::size_t>(Arrays::count * Arrays::length(channels)) * sizeof(std::int32_t));
}

Epilogue Fusion::epilogue(std::span<const ir::TensorView> operands, std::int64_t channels, std::byte* memory) const {
  Arrays arrays(channels, memory);
  Epilogue e;
  e.offset = arrays.offset;
  e.multiplier = arrays.multiplier;
  e.mantissa = arrays.mantissa;
  e.left = arrays.left;
  e.right = arrays.right;
  if (rescale == nullptr) return e;
  const auto of_rescale = operands.subspan(rescale_at, rescale->operands.size());
  if (rescale->op->name == "dequantize_accumulator") {
    e.rescale = Rescale::logits;
    copy_channels(of_rescale[1], channels, arrays.multiplier);
    read_bias(optional(of_rescale, 2), channels, arrays, e);
    return e;
  }
  const std::size_t parameters = rescale->op->name == "requantize" ? 1 : 2;
  read_bias(optional(of_rescale, parameters + 2), channels, arrays, e);
  if (parameters == 1) {
    e.rescale = Rescale::floating;
    copy_channels(of_rescale[1], channels, arrays.multiplier);
  } else {
    e.rescale = Rescale::fixed;
    read_fixed(of_rescale[1], of_rescale[2], e.steps != nullptr, channels, arrays);
  }
  const ir::Range range = range_of(*rescale, optional(of_rescale, parameters + 3));
  e.zero_point = integer(of_rescale[parameters + 1]);
  e.lo = range.lo;
  e.hi = range.hi;
  if (join != nullptr) e.residual = residual_of(*join, own, operands.subspan(join_at, join->operands.size()));
  return e;
}

std::vector<ir::NodeId> fuse_rescale(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first, std::int64_t channel_axis,
                                     const std::function<bool(ir::NodeId)>& free) {
  const ir::ValueId acc = graph.node(first).results[0];
  const auto rank = static_cast<std::int64_t>(graph.type(acc).shape.size());
  const ir::NodeId* next = only_reader(uses, acc, free);
  if (next == nullptr) return {first};
  const ir::Node& rescale = graph.node(*next);
  if (!rescales(rescale) || rescale.operands[0] != acc) return {first};
  const std::int64_t axis = rescale.attributes.integer("axis");
  if ((axis < 0 ? axis + rank : axis) != channel_axis) return {first};
  return {first, *next};
}

std::vector<ir::NodeId> fuse(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first, const std::function<bool(ir::NodeId)>& free) {
  const auto rank = static_cast<std::int64_t>(graph.type(graph.node(first).results[0]).shape.size());
  std::vector<ir::NodeId> nodes = fuse_rescale(graph, uses, first, rank - 1, free);
  if (nodes.size() == 1) return nodes;
  const ir::Node& rescale = graph.node(nodes.back());
  const ir::ValueId q = rescale.results[0];
  const ir::NodeId* behind = only_reader(uses, q, free);
  if (behind == nullptr || rescale.op->name == "dequantize_accumulator") return nodes;
  const ir::Node& join = graph.node(*behind);
  if (!adds(join) || (join.operands[0] != q && join.operands[1] != q)) return nodes;
  const ir::ValueId other = join.operands[join.operands[0] == q ? 1 : 0];
  if (graph.type(other).shape != graph.type(q).shape) return nodes;
  nodes.push_back(*behind);
  return nodes;
}

}  // namespace stair::backends::int8
