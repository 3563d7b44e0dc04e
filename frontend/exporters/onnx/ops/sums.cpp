#include <numeric>
#include <optional>
#include <utility>

#include "frontend/exporters/onnx/requantizing.h"
#include "ir/op.h"

// Sums as int32, where no layer of ONNX says the sum and what follows it at once.

namespace stair::frontend::to_onnx::ops {
namespace {

using ir::Node;
using ir::ValueId;

std::int64_t zero_of(const Emitter& emit, const Node& node, std::size_t x, std::size_t zero_point) {
  return emit.integers(node.operands[zero_point])[0] + emit.shift(node.operands[x]);
}

std::string zero_point(Emitter& emit, const Node& node, std::size_t x, std::size_t zero_point) {
  return emit.scalar(Element::u8, zero_of(emit, node, x, zero_point));
}

// x - z in int32.
std::string from_zero(Emitter& emit, const Node& node, std::size_t zero) {
  return emit.add("Sub", {emit.cast(emit(node.operands[0]), Element::i32), emit.scalar(Element::i32, zero_of(emit, node, 0, zero))});
}

void emit_conv2d(Emitter& emit, const Node& node) {
  const ir::Shape& weight = emit.graph().type(node.operands[1]).shape;
  emit.yields(
      node.results[0],
      emit.add("ConvInteger", {emit(node.operands[0]), emit(node.operands[1]), zero_point(emit, node, 0, 2), emit.scalar(Element::u8, 128)},
               window_of(node, {weight[2], weight[3]}), emit.wanted(node.results[0])));
}

void emit_linear(Emitter& emit, const Node& node) {
  const ir::Shape& shape = emit.graph().type(node.operands[1]).shape;
  const std::vector<std::int64_t> weight = emit.integers(node.operands[1]);
  std::vector<std::int64_t> transposed(weight.size());
  for (std::int64_t o = 0; o < shape[0]; ++o) {
    for (std::int64_t k = 0; k < shape[1]; ++k) {
      transposed[static_cast<std::size_t>(k * shape[0] + o)] = weight[static_cast<std::size_t>(o * shape[1] + k)] + 128;
    }
  }
  emit.yields(node.results[0], emit.add("MatMulInteger",
                                        {emit(node.operands[0]), emit.integers(Element::u8, transposed, {shape[1], shape[0]}),
                                         zero_point(emit, node, 0, 2), emit.scalar(Element::u8, 128)},
                                        {}, emit.wanted(node.results[0])));
}

void emit_matmul(Emitter& emit, const Node& node) {
  emit.yields(node.results[0], emit.add("MatMulInteger",
                                        {matrix(emit, node.operands[0], node.attributes.boolean("transpose_a")),
                                         matrix(emit, node.operands[1], node.attributes.boolean("transpose_b")),
                                         zero_point(emit, node, 0, 2), zero_point(emit, node, 1, 3)},
                                        {}, emit.wanted(node.results[0])));
}

std::string window_sum(Emitter& emit, const Node& node, const std::string& name) {
  const std::int64_t channels = emit.graph().type(node.operands[0]).shape[1];
  const std::vector<std::int64_t>& kernel = node.attributes.integers("kernel");
  std::vector<Attribute> window = window_of(node, kernel);
  window.push_back(integer("group", channels));
  const ir::Shape shape{channels, 1, kernel[0], kernel[1]};
  const std::string ones =
      emit.integers(Element::u8, std::vector<std::int64_t>(static_cast<std::size_t>(ir::element_count(shape)), 1), shape);
  return emit.add("ConvInteger", {emit(node.operands[0]), ones, zero_point(emit, node, 0, 1), emit.scalar(Element::u8, 0)}, window, name);
}

void emit_avg_pool(Emitter& emit, const Node& node) {
  emit.yields(node.results[0], window_sum(emit, node, emit.wanted(node.results[0])));
}

// How many positions of each window along a side lie inside of the picture.
std::vector<std::int64_t> inside(std::int64_t size, std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t before) {
  std::vector<std::int64_t> counts;
  for (std::int64_t o = 0; o < out; ++o) {
    std::int64_t count = 0;
    for (std::int64_t k = 0; k < kernel; ++k) {
      const std::int64_t at = o * stride - before + k;
      count += at >= 0 && at < size ? 1 : 0;
    }
    counts.push_back(count);
  }
  return counts;
}

void emit_avg_pool_inside(Emitter& emit, const Node& node) {
  const ir::Shape& x = emit.graph().type(node.operands[0]).shape;
  const ir::Shape& y = emit.graph().type(node.results[0]).shape;
  const std::vector<std::int64_t>& kernel = node.attributes.integers("kernel");
  const std::vector<std::int64_t> stride = node.attributes.integers("stride").empty() ? kernel : node.attributes.integers("stride");
  const std::vector<std::int64_t>& padding = node.attributes.integers("padding");
  const std::vector<std::int64_t> rows = inside(x[2], y[2], kernel[0], stride[0], padding[0]);
  const std::vector<std::int64_t> columns = inside(x[3], y[3], kernel[1], stride[1], padding[1]);
  const auto multiple = [](const std::vector<std::int64_t>& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::int64_t{1}, [](std::int64_t a, std::int64_t b) { return std::lcm(a, b); });
  };
  std::vector<std::int64_t> factors;
  for (const std::int64_t row : rows) {
    for (const std::int64_t column : columns) factors.push_back(multiple(rows) / row * (multiple(columns) / column));
  }
  emit.yields(node.results[0], emit.add("Mul", {window_sum(emit, node, ""), emit.integers(Element::i32, factors, {y[2], y[3]})}, {},
                                        emit.wanted(node.results[0])));
}

void emit_reduce_sum(Emitter& emit, const Node& node) {
  const std::vector<std::int64_t>& axes = node.attributes.integers("axes");
  emit.yields(node.results[0],
              emit.add("ReduceSum", {from_zero(emit, node, 1), emit.integers(Element::i64, axes, {static_cast<std::int64_t>(axes.size())})},
                       {integer("keepdims", node.attributes.boolean("keep") ? 1 : 0)}, emit.wanted(node.results[0])));
}

// [out, in]: the weights of N-RESIZE along a side.
std::vector<std::int64_t> bilinear(std::int64_t in, std::int64_t out) {
  std::vector<std::int64_t> weights(static_cast<std::size_t>(in * out), 0);
  const std::int64_t g = std::gcd(in, out);
  for (std::int64_t i = 0; i < out; ++i) {
    const std::int64_t place = std::clamp<std::int64_t>((2 * i + 1) * in - out, 0, 2 * out * (in - 1));
    const std::int64_t below = place / (2 * out);
    const std::int64_t part = place % (2 * out);
    weights[static_cast<std::size_t>(i * in + below)] += (2 * out - part) / g;
    weights[static_cast<std::size_t>(i * in + std::min(below + 1, in - 1))] += part / g;
  }
  return weights;
}

void emit_resize(Emitter& emit, const Node& node) {
  const ir::Shape& x = emit.graph().type(node.operands[0]).shape;
  const std::vector<std::int64_t>& size = node.attributes.integers("size");
  const std::string rows = emit.integers(Element::i32, bilinear(x[2], size[0]), {size[0], x[2]});
  const std::string columns = emit.integers(Element::i32, bilinear(x[3], size[1]), {size[1], x[3]});
  const std::string right = emit.add("Transpose", {columns}, {integers("perm", {1, 0})});
  emit.yields(node.results[0],
              emit.add("MatMul", {rows, emit.add("MatMul", {from_zero(emit, node, 1), right})}, {}, emit.wanted(node.results[0])));
}

// Only of floats in ONNX: exact as long as no sum leaves 24 bits.
void emit_conv_transpose2d(Emitter& emit, const Node& node) {
  const ir::Shape& shape = emit.graph().type(node.operands[1]).shape;
  const std::int64_t groups = node.attributes.integer("groups");
  const std::int64_t in = shape[1];
  const std::int64_t out = shape[0] / groups;
  const std::int64_t area = shape[2] * shape[3];
  const std::vector<std::int64_t> weight = emit.integers(node.operands[1]);
  std::vector<float> turned(weight.size());
  std::int64_t largest = 0;
  for (std::int64_t o = 0; o < shape[0]; ++o) {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < in; ++i) {
      for (std::int64_t k = 0; k < area; ++k) {
        const std::int64_t its = weight[static_cast<std::size_t>((o * in + i) * area + k)];
        turned[static_cast<std::size_t>(((o / out * in + i) * out + o % out) * area + k)] = static_cast<float>(its);
        sum += std::abs(its) * 255;
      }
    }
    largest = std::max(largest, sum);
  }
  if (largest > std::int64_t{1} << 24) emit.differs(node, "its sums in float, the only ones that ONNX has, may leave 24 bits");
  std::vector<Attribute> window = window_of(node, {shape[2], shape[3]});
  window.push_back(integers("output_padding", node.attributes.integers("output_padding")));
  const std::string x = emit.cast(from_zero(emit, node, 2), Element::f32);
  emit.yields(node.results[0],
              emit.cast(emit.add("ConvTranspose", {x, emit.floats(turned, {in * groups, out, shape[2], shape[3]})}, window), Element::i32,
                        emit.wanted(node.results[0])));
}

std::optional<Layer> weighted(const Emitter& emit, const Node& node, std::vector<Attribute> window) {
  Layer layer;
  layer.x = node.operands[0];
  layer.shape = emit.graph().type(node.operands[1]).shape;
  layer.scale = emit.weight_scale(node.results[0]);
  layer.window = std::move(window);
  if (layer.scale.empty() || emit.constant(node.operands[1]) == nullptr) return std::nullopt;
  layer.weights = emit.integers(node.operands[1]);
  return layer;
}

std::optional<Layer> convolution(const Emitter& emit, const Node& node) {
  const ir::Shape& weight = emit.graph().type(node.operands[1]).shape;
  return weighted(emit, node, window_of(node, {weight[2], weight[3]}));
}

std::optional<Layer> product(const Emitter& emit, const Node& node) {
  if (emit.graph().type(node.operands[0]).shape.size() != 2) return std::nullopt;
  return weighted(emit, node, {});
}

Layer average(const Emitter& emit, const Node& node, const ir::Shape& kernel, std::vector<Attribute> window) {
  const std::int64_t channels = emit.graph().type(node.operands[0]).shape[1];
  Layer layer;
  layer.x = node.operands[0];
  layer.shape = {channels, 1, kernel[0], kernel[1]};
  layer.weights.assign(static_cast<std::size_t>(ir::element_count(layer.shape)), 1);
  layer.scale = {1};
  layer.divisor = static_cast<float>(kernel[0] * kernel[1]);
  layer.window = std::move(window);
  layer.window.push_back(integer("group", channels));
  return layer;
}

std::optional<Layer> pool(const Emitter& emit, const Node& node) {
  const std::vector<std::int64_t>& kernel = node.attributes.integers("kernel");
  return average(emit, node, kernel, window_of(node, kernel));
}

std::optional<Layer> plane(const Emitter& emit, const Node& node) {
  const ir::Shape& x = emit.graph().type(node.operands[0]).shape;
  if (x.size() != 4 || node.attributes.integers("axes") != std::vector<std::int64_t>{2, 3}) return std::nullopt;
  Layer layer = average(emit, node, {x[2], x[3]}, {integers("kernel_shape", {x[2], x[3]})});
  layer.drops_window = !node.attributes.boolean("keep");
  return layer;
}

}  // namespace

void sums(OperatorRegistry& registry) {
  registry.add({"conv2d_integer", emit_conv2d, true, convolution});
  registry.add({"linear_integer", emit_linear, true, product});
  registry.add({"matmul_integer", emit_matmul, true});
  registry.add({"avg_pool_integer", emit_avg_pool, true, pool});
  registry.add({"avg_pool_inside_integer", emit_avg_pool_inside, true});
  registry.add({"reduce_sum_integer", emit_reduce_sum, true, plane});
  registry.add({"resize_bilinear_integer", emit_resize, true});
  registry.add({"conv_transpose2d_integer", emit_conv_transpose2d, true});
}

}  // namespace stair::frontend::to_onnx::ops
