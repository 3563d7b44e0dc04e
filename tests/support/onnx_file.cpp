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
  std::string bytes = bytes_field(1, packed(tensor.shape)) + number_field(2, floats != nullptr ? 1 : 7) + bytes_field(8, tensor.name);
  if (!tensor.external.empty()) {
    for (const auto& [key, value] : tensor.external) bytes += bytes_field(13, bytes_field(1, key) + bytes_field(2, value));
    return bytes + number_field(14, 1);
  }
  return bytes +
         (floats != nullptr ? bytes_field(9, packed(*floats)) : bytes_field(7, packed(std::get<std::vector<std::int64_t>>(tensor.values))));
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
  return number_field(1, 8) + bytes_field(8, number_field(2, graph.opset)) + bytes_field(7, bytes);
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

}  // namespace stair::tests
