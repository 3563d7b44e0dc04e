#include "tests/support/onnx_file.h"

#include <bit>

namespace stair::tests {
namespace {

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::string number_field(std::uint32_t field, std::int64_t value) {
  return varint(field << 3) + varint(static_cast<std::uint64_t>(value));
}

std::string bytes_field(std::uint32_t field, const std::string& bytes) {
  return varint(field << 3 | 2) + varint(bytes.size()) + bytes;
}

std::string float_bytes(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift);
  return bytes;
}

std::string packed(const std::vector<std::int64_t>& values) {
  std::string bytes;
  for (const std::int64_t value : values) bytes += varint(static_cast<std::uint64_t>(value));
  return bytes;
}

std::string packed(const std::vector<float>& values) {
  std::string bytes;
  for (const float value : values) bytes += float_bytes(value);
  return bytes;
}

std::string tensor_bytes(const OnnxTensor& tensor) {
  const auto* floats = std::get_if<std::vector<float>>(&tensor.values);
  std::string bytes =
      bytes_field(1, packed(tensor.shape)) + number_field(2, floats != nullptr ? 1 : tensor.type) + bytes_field(8, tensor.name);
  if (!tensor.external.empty()) {
    for (const auto& [key, value] : tensor.external) bytes += bytes_field(13, bytes_field(1, key) + bytes_field(2, value));
    return bytes + number_field(14, 1);
  }
  if (floats != nullptr) return bytes + bytes_field(9, packed(*floats));
  std::vector<std::int64_t> values = std::get<std::vector<std::int64_t>>(tensor.values);
  if (tensor.type == 22) {  // two a byte
    std::vector<std::int64_t> pairs;
    for (std::size_t i = 0; i < values.size(); i += 2)
      pairs.push_back((values[i] & 15) | (i + 1 < values.size() ? values[i + 1] & 15 : 0) << 4);
    values = pairs;
  }
  return bytes + bytes_field(tensor.type == 7 ? 7 : 5, packed(values));
}

std::string attribute_bytes(const std::string& name, const OnnxAttribute& attribute) {
  std::string bytes = bytes_field(1, name);
  if (const auto* integer = std::get_if<std::int64_t>(&attribute)) bytes += number_field(3, *integer) + number_field(20, 2);
  if (const auto* real = std::get_if<float>(&attribute)) bytes += varint(2 << 3 | 5) + float_bytes(*real) + number_field(20, 1);
  if (const auto* text = std::get_if<std::string>(&attribute)) bytes += bytes_field(4, *text) + number_field(20, 3);
  if (const auto* tensor = std::get_if<OnnxTensor>(&attribute)) bytes += bytes_field(5, tensor_bytes(*tensor)) + number_field(20, 4);
  if (const auto* reals = std::get_if<std::vector<float>>(&attribute)) bytes += bytes_field(7, packed(*reals)) + number_field(20, 6);
  if (const auto* list = std::get_if<std::vector<std::int64_t>>(&attribute)) {
    for (const std::int64_t each : *list) bytes += number_field(8, each);
    bytes += number_field(20, 7);
  }
  return bytes;
}

std::string node_bytes(const OnnxNode& node) {
  std::string bytes;
  for (const std::string& input : node.inputs) bytes += bytes_field(1, input);
  for (const std::string& output : node.outputs) bytes += bytes_field(2, output);
  bytes += bytes_field(3, node.name) + bytes_field(4, node.op);
  for (const auto& [name, attribute] : node.attributes) bytes += bytes_field(5, attribute_bytes(name, attribute));
  return node.domain.empty() ? bytes : bytes + bytes_field(7, node.domain);
}

std::string end_bytes(const OnnxEnd& end) {
  std::string shape;
  for (const std::int64_t size : end.shape) shape += bytes_field(1, size > 0 ? number_field(1, size) : bytes_field(2, "N"));
  return bytes_field(1, end.name) + bytes_field(2, bytes_field(1, number_field(1, 1) + bytes_field(2, shape)));
}

}  // namespace

std::string onnx_file(const OnnxGraph& graph) {
  std::string bytes;
  for (const OnnxNode& node : graph.nodes) bytes += bytes_field(1, node_bytes(node));
  bytes += bytes_field(2, "small");
  for (const OnnxTensor& tensor : graph.initializers) bytes += bytes_field(5, tensor_bytes(tensor));
  for (const OnnxEnd& input : graph.inputs) bytes += bytes_field(11, end_bytes(input));
  for (const OnnxEnd& output : graph.outputs) bytes += bytes_field(12, end_bytes(output));
  std::string opsets = bytes_field(8, number_field(2, graph.opset));
  for (const OnnxNode& node : graph.nodes) {
    if (node.domain != "com.microsoft") continue;
    opsets += bytes_field(8, bytes_field(1, node.domain) + number_field(2, 1));
    break;
  }
  return number_field(1, 8) + opsets + bytes_field(7, bytes);
}

std::vector<float> onnx_values(std::size_t count, std::uint64_t seed) {
  std::vector<float> values;
  std::uint64_t state = seed * 2 + 1;
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    values.push_back(static_cast<float>(static_cast<std::int64_t>(state >> 40) - (1 << 23)) / static_cast<float>(1 << 23));
  }
  return values;
}

OnnxGraph small_onnx_graph() {
  using List = std::vector<std::int64_t>;
  OnnxGraph graph;
  graph.inputs = {{"x", {0, 1, 6, 6}}};
  graph.outputs = {{"y", {0, 4}}};
  graph.initializers = {{"w", {4, 1, 3, 3}, onnx_values(36, 1)},
                        {"gamma", {4}, std::vector<float>{1, 0.5F, 2, 1}},
                        {"beta", {4}, onnx_values(4, 2)},
                        {"mean", {4}, onnx_values(4, 3)},
                        {"var", {4}, std::vector<float>{1, 2, 1, 0.5F}},
                        {"pads", {8}, List{0, 0, 1, 1, 0, 0, 1, 1}},
                        {"matrix", {64, 4}, onnx_values(256, 4)},
                        {"bias", {4}, onnx_values(4, 5)}};
  graph.nodes = {{"Conv", {"x", "w"}, {"c"}, {{"kernel_shape", List{3, 3}}, {"auto_pad", std::string("SAME_UPPER")}}, "conv"},
                 {"BatchNormalization", {"c", "gamma", "beta", "mean", "var"}, {"b"}, {{"epsilon", 1e-3F}, {"momentum", 0.9F}}, "bn"},
                 {"Sigmoid", {"b"}, {"gate"}, {}, "gate"},
                 {"Mul", {"b", "gate"}, {"a"}, {}, "act"},
                 {"Pad", {"a", "pads"}, {"p"}, {}, "pad"},
                 {"AveragePool", {"p"}, {"m"}, {{"kernel_shape", List{2, 2}}, {"strides", List{2, 2}}}, "pool"},
                 {"Shape", {"m"}, {"shape"}},
                 {"Constant", {}, {"zero"}, {{"value", OnnxTensor{"", {}, List{0}}}}},
                 {"Gather", {"shape", "zero"}, {"n"}, {{"axis", std::int64_t{0}}}},
                 {"Constant", {}, {"axes"}, {{"value", OnnxTensor{"", {1}, List{0}}}}},
                 {"Unsqueeze", {"n", "axes"}, {"n1"}},
                 {"Constant", {}, {"rest"}, {{"value", OnnxTensor{"", {1}, List{-1}}}}},
                 {"Concat", {"n1", "rest"}, {"target"}, {{"axis", std::int64_t{0}}}},
                 {"Reshape", {"m", "target"}, {"flat"}, {}, "flat"},
                 {"MatMul", {"flat", "matrix"}, {"product"}, {}, "fc"},
                 {"Add", {"product", "bias"}, {"y"}, {}, "fc_bias"}};
  return graph;
}

namespace {

using List = std::vector<std::int64_t>;

class QuantizedNet {
 public:
  explicit QuantizedNet(std::uint64_t seed) : state_(seed * 2654435761U + 17) {}

  OnnxGraph run() {
    graph_.inputs = {{"x", {0, 2, 6, 6}}};
    on_integers_ = below(2) == 0;
    is_signed_ = below(3) == 0;
    quantize("x");
    convolve(4, 3);
    if (below(2) == 0) residual();
    if (below(3) == 0) between("Sigmoid", {}, "");
    if (below(2) == 0) pool();
    convolve(3, 1);
    if (below(3) == 0) {
      between("GlobalAveragePool", {}, below(2) == 0 ? "QLinearGlobalAveragePool" : "");
      side_ = 1;
    }
    finish();
    return graph_;
  }

 private:
  struct Integers {
    std::string q, scale, zero;
  };

  std::uint64_t below(std::uint64_t n) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return (state_ >> 33) % n;
  }
  std::string name(const std::string& base) { return base + std::to_string(next_++); }
  std::string tensor(const std::string& base, std::vector<std::int64_t> shape, std::vector<float> values) {
    graph_.initializers.push_back({name(base), std::move(shape), std::move(values)});
    return graph_.initializers.back().name;
  }
  std::string integers(const std::string& base, std::vector<std::int64_t> shape, List values, std::int32_t type) {
    graph_.initializers.push_back({name(base), std::move(shape), std::move(values), {}, type});
    return graph_.initializers.back().name;
  }
  std::string node(const std::string& op, const std::vector<std::string>& inputs, std::map<std::string, OnnxAttribute> attributes = {},
                   const std::string& domain = "") {
    const std::string output = name("v");
    graph_.nodes.push_back({op, inputs, {output}, std::move(attributes), name(op), domain});
    return output;
  }

  float a_scale() { return (1.0F + static_cast<float>(below(1000)) / 777.0F) / 60.0F; }
  // Of a new quantizer: its scale and zero point.
  Integers parameters(bool from_zero) {
    scale_ = a_scale();
    const std::int64_t zero = from_zero ? 0 : static_cast<std::int64_t>(100 + below(50));
    return {"", tensor("scale", {}, {scale_}), integers("zero", {}, {is_signed_ ? zero - 128 : zero}, is_signed_ ? 3 : 2)};
  }
  void quantize(const std::string& x, bool from_zero = false) {
    Integers made = parameters(from_zero);
    made.q = node("QuantizeLinear", {x, made.scale, made.zero});
    if (!from_zero && below(6) == 0) {  // 7 bits in the middle of 8
      const std::int64_t lo = is_signed_ ? -64 : 64;
      made.q = node("Clip", {made.q, integers("lo", {}, {lo}, is_signed_ ? 3 : 2), integers("hi", {}, {lo + 127}, is_signed_ ? 3 : 2)});
    }
    now_ = made;
  }
  std::string dequantized(const Integers& of) { return node("DequantizeLinear", {of.q, of.scale, of.zero}); }

  // Weights [O, ...] around their zero point, with scales.
  struct Weights {
    Integers its;
    std::vector<float> scales;
  };
  Weights weights(std::vector<std::int64_t> shape) {
    const bool per_channel = below(2) == 0;
    const bool is_unsigned = below(3) == 0 && !(on_integers_ && is_signed_);  // no runtime has all pairs
    const auto channels = static_cast<std::size_t>(shape.front());
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    List values;
    for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<std::int64_t>(below(255)) - 127 + (is_unsigned ? 128 : 0));
    Weights made;
    for (std::size_t c = 0; c < (per_channel ? channels : 1); ++c) made.scales.push_back(a_scale() / 40);
    const std::vector<std::int64_t> one = per_channel ? std::vector<std::int64_t>{shape.front()} : std::vector<std::int64_t>{};
    made.its = {integers("w", std::move(shape), std::move(values), is_unsigned ? 2 : 3), tensor("w_scale", one, made.scales),
                integers("w_zero", one, List(made.scales.size(), is_unsigned ? 128 : 0), is_unsigned ? 2 : 3)};
    return made;
  }
  Integers bias(std::int64_t channels, const Weights& of) {
    List values;
    std::vector<float> steps;
    for (std::int64_t c = 0; c < channels; ++c) {
      values.push_back(static_cast<std::int64_t>(below(4000)) - 2000);
      steps.push_back(scale_ * of.scales[of.scales.size() == 1 ? 0 : static_cast<std::size_t>(c)]);
    }
    return {integers("b", {channels}, std::move(values), 6), tensor("b_scale", {channels}, std::move(steps)), ""};
  }
  std::string dequantized_constant(const Integers& of, std::int64_t axis) {
    std::vector<std::string> inputs{of.q, of.scale};
    if (!of.zero.empty()) inputs.push_back(of.zero);
    return node("DequantizeLinear", inputs, {{"axis", axis}});
  }

  void convolve(std::int64_t out, std::int64_t kernel) {
    const std::int64_t pad = kernel / 2;
    const Weights w = weights({out, channels_, kernel, kernel});
    const Integers b = bias(out, w);
    const std::map<std::string, OnnxAttribute> window{{"kernel_shape", List{kernel, kernel}}, {"pads", List{pad, pad, pad, pad}}};
    const Integers x = now_;
    channels_ = out;
    if (on_integers_) {
      Integers y = parameters(below(2) == 0);
      y.q = node("QLinearConv", {x.q, x.scale, x.zero, w.its.q, w.its.scale, w.its.zero, y.scale, y.zero, b.q}, window);
      now_ = y;
      return;
    }
    const bool relu = below(2) == 0;
    std::string y = node("Conv", {dequantized(x), dequantized_constant(w.its, 0), dequantized_constant(b, 0)}, window);
    if (relu) y = node("Relu", {y});
    quantize(y, relu);
  }

  void residual() {
    const Integers before = now_;
    convolve(channels_, 3);
    if (on_integers_) {
      const Integers a = now_;
      Integers y = parameters(false);
      y.q = node("QLinearAdd", {a.q, a.scale, a.zero, before.q, before.scale, before.zero, y.scale, y.zero}, {}, "com.microsoft");
      now_ = y;
    } else {
      quantize(node("Add", {dequantized(now_), dequantized(before)}));
    }
  }

  void between(const std::string& op, const std::map<std::string, OnnxAttribute>& attributes, const std::string& on_integers) {
    const Integers x = now_;
    if (on_integers_ && !on_integers.empty()) {
      Integers y = parameters(false);
      y.q = node(on_integers, {x.q, x.scale, x.zero, y.scale, y.zero}, attributes, "com.microsoft");
      now_ = y;
    } else {
      quantize(node(op, {dequantized(x)}, attributes));
    }
  }

  void pool() {
    side_ = 3;
    const std::map<std::string, OnnxAttribute> window{{"kernel_shape", List{2, 2}}, {"strides", List{2, 2}}};
    if (on_integers_ && !is_signed_) {
      now_.q = node("MaxPool", {now_.q}, window);
      return;
    }
    const std::string y = node("MaxPool", {dequantized(now_)}, window);
    now_.q = node("QuantizeLinear", {y, now_.scale, now_.zero});  // those that it had
  }

  void finish() {
    graph_.nodes.push_back({"DequantizeLinear", {now_.q, now_.scale, now_.zero}, {"y"}, {}, "last"});
    graph_.outputs = {{"y", {0, channels_, side_, side_}}};
  }

  OnnxGraph graph_;
  std::uint64_t state_;
  int next_ = 0;
  bool on_integers_ = false, is_signed_ = false;
  Integers now_;
  float scale_ = 1;
  std::int64_t channels_ = 2, side_ = 6;
};

}  // namespace

OnnxGraph quantized_onnx_graph(std::uint64_t seed) {
  return QuantizedNet(seed).run();
}

}  // namespace stair::tests
