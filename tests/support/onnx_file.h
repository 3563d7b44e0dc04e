#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace stair::tests {

// ONNX files of the tests' own: what the format's page says, written field by field, with nothing of the importer.

struct OnnxTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::variant<std::vector<float>, std::vector<std::int64_t>> values;
  std::map<std::string, std::string> external = {};  ///< in place of the values, where it isn't empty
  std::int32_t type = 7;                             ///< of integers, by the format's number: 7 int64, 6 int32, 3 int8, 2 uint8, 22 int4
};

using OnnxAttribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>, OnnxTensor>;

struct OnnxNode {
  std::string op;
  std::vector<std::string> inputs, outputs;
  std::map<std::string, OnnxAttribute> attributes = {};
  std::string name = {}, domain = {};
};

/// An input or output of floats; dimensions below 1 are free.
struct OnnxEnd {
  std::string name;
  std::vector<std::int64_t> shape;
};

struct OnnxGraph {
  std::vector<OnnxNode> nodes;
  std::vector<OnnxTensor> initializers;
  std::vector<OnnxEnd> inputs, outputs;
  std::int64_t opset = 17;
};

/// The bytes of the file.
std::string onnx_file(const OnnxGraph& graph);

/// Floats in [-1, 1) that follow from the seed.
std::vector<float> onnx_values(std::size_t count, std::uint64_t seed);

/// A small network as exporters write them, of pictures [N,1,6,6] as "x", with 4 classes as "y": convolution, batch-norm, an activation in
/// pieces, a pad before a pool, shape arithmetic and a product with a bias.
OnnxGraph small_onnx_graph();

/// A quantized network as quantizers of others write them, of pictures [N,2,6,6] as "x", with floats as "y". What the seed draws: operators
/// on integers or floats between QuantizeLinear and DequantizeLinear, uint8 or int8, scales of a tensor or a channel, activations of fewer
/// bits, residual sums, pools and a function.
OnnxGraph quantized_onnx_graph(std::uint64_t seed);

}  // namespace stair::tests
