#include "frontend/exporters/onnx/requantizing.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "ir/op.h"

namespace stair::frontend::to_onnx {

using ir::Node;
using ir::ValueId;

namespace {

std::string weights_of(Emitter& emit, const Layer& layer) {
  std::vector<std::int64_t> shifted = layer.weights;
  for (std::int64_t& weight : shifted) weight += 128;
  return emit.integers(Element::u8, shifted, layer.shape);
}

std::string dequantized(Emitter& emit, const std::string& q, const std::vector<float>& scale, Element type, std::int64_t zero_point) {
  const bool per_channel = scale.size() > 1;
  const ir::Shape shape = per_channel ? ir::Shape{static_cast<std::int64_t>(scale.size())} : ir::Shape{};
  const std::string zero = emit.integers(type, std::vector<std::int64_t>(scale.size(), zero_point), shape);
  return emit.add("DequantizeLinear", {q, emit.floats(scale, shape), zero},
                  per_channel ? std::vector<Attribute>{integer("axis", 0)} : std::vector<Attribute>{});
}

// One step of the sum, by channel.
std::vector<float> steps_of(const Layer& layer) {
  std::vector<float> steps;
  for (const float scale : layer.scale) steps.push_back(layer.of_x.scale * scale);
  return steps;
}

// One an output channel.
std::string bias_of(Emitter& emit, const Layer& layer, std::vector<std::int64_t> bias) {
  const std::int64_t channels = layer.shape[0];
  if (bias.size() == 1) bias.assign(static_cast<std::size_t>(channels), bias.front());
  return emit.integers(Element::i32, bias, {channels});
}

std::string without_window(Emitter& emit, const Layer& layer, const std::string& y, const std::string& name = "") {
  if (!layer.drops_window) return y;
  return emit.add("Squeeze", {y, emit.integers(Element::i64, {2, 3}, {2})}, {}, name);
}

// As the integers are written.
std::pair<std::int64_t, std::int64_t> limits_of(const Emitter& emit, const Node& node, ValueId range) {
  std::vector<std::int64_t> limits{node.attributes.integer("lo"), node.attributes.integer("hi")};
  if (range != ir::absent) limits = emit.integers(range);
  const std::int64_t shift = emit.shift(node.results[0]);
  return {limits[0] + shift, limits[1] + shift};
}

}  // namespace

std::string matrix(Emitter& emit, ValueId value, bool transposed) {
  std::string x = emit(value);
  if (!transposed) return x;
  std::vector<std::int64_t> permutation(emit.graph().type(value).shape.size());
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation[permutation.size() - 2], permutation.back());
  return emit.add("Transpose", {x}, {integers("perm", permutation)});
}

std::vector<Attribute> window_of(const Node& node, const ir::Shape& kernel) {
  const ir::Attributes& its = node.attributes;
  std::vector<std::int64_t> stride = its.integers("stride");
  if (stride.empty()) stride = kernel;
  std::vector<Attribute> window{integers("kernel_shape", kernel), integers("strides", stride), integers("pads", its.integers("padding"))};
  if (its.has("dilation")) window.push_back(integers("dilations", its.integers("dilation")));
  if (its.has("groups")) window.push_back(integer("group", its.integer("groups")));
  return window;
}

std::optional<Layer> layer_of(const Emitter& emit, const Node& sum) {
  const Operator& its = *operators().find(sum.op->name);
  const std::optional<Quantization> of_x = emit.quantization(sum.operands[0]);
  if (!its.layer || !of_x) return std::nullopt;
  std::optional<Layer> layer = its.layer(emit, sum);
  if (!layer) return std::nullopt;
  layer->of_x = *of_x;
  layer->name = emit.graph().value(sum.results[0]).name;
  return layer;
}

std::string in_float(Emitter& emit, const Layer& layer, const std::vector<std::int64_t>& bias, const std::string& name) {
  std::vector<std::string> inputs{dequantized(emit, emit(layer.x), {layer.of_x.scale}, Element::u8, layer.of_x.zero_point),
                                  dequantized(emit, weights_of(emit, layer), layer.scale, Element::u8, 128)};
  if (!bias.empty()) inputs.push_back(dequantized(emit, bias_of(emit, layer, bias), steps_of(layer), Element::i32, 0));
  if (layer.window.empty()) return emit.add("Gemm", inputs, {integer("transB", 1)}, name, layer.name);
  return without_window(emit, layer, emit.add("Conv", inputs, layer.window, "", layer.name));
}

std::string in_integers(Emitter& emit, const Layer& layer, const std::vector<std::int64_t>& bias, const Quantization& of_y,
                        const std::string& name) {
  const ir::Shape per_channel = layer.scale.size() > 1 ? ir::Shape{static_cast<std::int64_t>(layer.scale.size())} : ir::Shape{};
  std::vector<std::string> inputs{emit(layer.x),
                                  emit.scalar(layer.of_x.scale),
                                  emit.scalar(Element::u8, layer.of_x.zero_point),
                                  weights_of(emit, layer),
                                  emit.floats(layer.scale, per_channel),
                                  emit.integers(Element::u8, std::vector<std::int64_t>(layer.scale.size(), 128), per_channel),
                                  emit.scalar(of_y.scale),
                                  emit.scalar(Element::u8, of_y.zero_point)};
  if (!bias.empty()) inputs.push_back(bias_of(emit, layer, bias));
  return without_window(emit, layer, emit.add("QLinearConv", inputs, layer.window, layer.drops_window ? "" : name, layer.name), name);
}

std::string name_unclamped(const Emitter& emit, const Node& node, ValueId range) {
  const auto [lo, hi] = limits_of(emit, node, range);
  return lo == 0 && hi == 255 ? emit.wanted(node.results[0]) : "";
}

std::string clamped(Emitter& emit, const Node& node, ValueId range, const std::string& q) {
  const auto [lo, hi] = limits_of(emit, node, range);
  if (lo == 0 && hi == 255) return q;
  return emit.add("Clip", {q, emit.scalar(Element::u8, lo), emit.scalar(Element::u8, hi)}, {}, emit.wanted(node.results[0]));
}

std::string fixed_product(Emitter& emit, const std::string& x, const std::vector<std::int64_t>& mantissa,
                          const std::vector<std::int64_t>& shift, const ir::Shape& shape) {
  std::vector<std::int64_t> left;
  std::vector<std::int64_t> right;
  std::vector<std::int64_t> half;
  for (const std::int64_t s : shift) {
    left.push_back(std::int64_t{1} << std::max<std::int64_t>(s, 0));
    right.push_back(std::int64_t{1} << std::max<std::int64_t>(-s, 0));
    half.push_back(right.back() / 2);
  }
  const auto constant = [&](std::int64_t value) { return emit.scalar(Element::i64, value); };
  const auto channels = [&](const std::vector<std::int64_t>& values) { return emit.integers(Element::i64, values, shape); };
  std::string y = x;
  if (std::any_of(shift.begin(), shift.end(), [](std::int64_t s) { return s > 0; })) {
    y = emit.add("Clip", {emit.add("Mul", {y, channels(left)}), constant(-2147483648), constant(2147483647)});
  }
  // ⌊(y · mantissa + 2^30) / 2^31⌋: division of integers cuts off toward 0, what Mod leaves has the sign of the divisor.
  y = emit.add("Add", {emit.add("Mul", {y, channels(mantissa)}), constant(std::int64_t{1} << 30)});
  y = emit.add("Div", {emit.add("Sub", {y, emit.add("Mod", {y, constant(std::int64_t{1} << 31)})}), constant(std::int64_t{1} << 31)});
  if (std::all_of(shift.begin(), shift.end(), [](std::int64_t s) { return s >= 0; })) return y;
  const std::string rounded = emit.add("Div", {emit.add("Add", {emit.add("Abs", {y}), channels(half)}), channels(right)});
  return emit.add("Mul", {emit.add("Sign", {y}), rounded});
}

std::string placed(Emitter& emit, const Node& node, ValueId zero_point, ValueId range, const std::string& steps) {
  const std::int64_t shift = emit.shift(node.results[0]);
  const auto [lo, hi] = limits_of(emit, node, range);
  const std::string sum = emit.add("Add", {steps, emit.scalar(Element::i64, emit.integers(zero_point)[0] + shift)});
  const std::string q = emit.add("Clip", {sum, emit.scalar(Element::i64, lo), emit.scalar(Element::i64, hi)});
  return emit.cast(q, Element::u8, emit.wanted(node.results[0]));
}

ir::Shape along(std::size_t count, std::int64_t axis, std::size_t rank) {
  if (count == 1) return {};
  const std::size_t at = axis < 0 ? rank - static_cast<std::size_t>(-axis) : static_cast<std::size_t>(axis);
  ir::Shape shape(rank - at, 1);
  shape.front() = static_cast<std::int64_t>(count);
  return shape;
}

std::string biased(Emitter& emit, const std::string& sum, ValueId bias, std::int64_t axis, std::size_t rank) {
  if (bias == ir::absent || ir::is_float(emit.graph().type(bias).dtype)) return sum;
  const std::vector<std::int64_t> its = emit.integers(bias);
  return emit.add("Add", {sum, emit.integers(Element::i32, its, along(its.size(), axis, rank))});
}

}  // namespace stair::frontend::to_onnx
