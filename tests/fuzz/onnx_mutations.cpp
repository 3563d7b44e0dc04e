#include "tests/fuzz/onnx_mutations.h"

#include <limits>

#include "tests/fuzz/mutations.h"

namespace stair::tests {
namespace {

using List = std::vector<std::int64_t>;

const List& numbers() {
  static const List all{0,
                        1,
                        -1,
                        2,
                        3,
                        -2,
                        4,
                        7,
                        16,
                        31,
                        255,
                        65536,
                        1 << 24,
                        2147483647,
                        -8,
                        62,
                        2147483648,
                        4294967296,
                        -2147483648,
                        1000000007,
                        std::numeric_limits<std::int64_t>::max(),
                        1024,
                        1023,
                        std::numeric_limits<std::int64_t>::min(),
                        std::numeric_limits<std::int64_t>::min() + 1};
  return all;
}

void mutate_list(List& list, Draws& draws) {
  switch (draws.below(4)) {
    case 0:
      list.push_back(draws.of(numbers()));
      break;
    case 1:
      if (!list.empty()) list.pop_back();
      break;
    default:
      if (!list.empty()) list[draws.below(list.size())] = draws.of(numbers());
  }
}

void mutate_tensor(OnnxTensor& tensor, Draws& draws) {
  auto* integers = std::get_if<List>(&tensor.values);
  switch (draws.below(4)) {
    case 0:
      mutate_list(tensor.shape, draws);
      break;
    case 1:
      if (integers != nullptr) {
        tensor.values = std::vector<float>(integers->size(), draws.one_in(2) ? std::numeric_limits<float>::quiet_NaN() : 1.0F);
      } else {
        tensor.values = List(std::get<std::vector<float>>(tensor.values).size(), draws.of(numbers()));
      }
      break;
    case 2:
      tensor.external = {{"location", draws.one_in(2) ? "../x" : "x.npy"}, {"offset", std::to_string(draws.of(numbers()))}};
      break;
    default:
      if (integers != nullptr) mutate_list(*integers, draws);
      if (integers != nullptr && draws.one_in(2)) tensor.shape = {static_cast<std::int64_t>(integers->size())};
  }
}

void mutate_attribute(OnnxAttribute& attribute, Draws& draws) {
  if (draws.one_in(8)) {
    attribute = draws.of(numbers());
  } else if (auto* integer = std::get_if<std::int64_t>(&attribute)) {
    *integer = draws.of(numbers());
  } else if (auto* list = std::get_if<List>(&attribute)) {
    mutate_list(*list, draws);
  } else if (auto* tensor = std::get_if<OnnxTensor>(&attribute)) {
    mutate_tensor(*tensor, draws);
  } else if (auto* real = std::get_if<float>(&attribute)) {
    *real = draws.one_in(2) ? std::numeric_limits<float>::infinity() : static_cast<float>(draws.of(numbers()));
  } else {
    attribute = std::string(draws.one_in(2) ? "SAME_LOWER" : "linear");
  }
}

void mutate_node(OnnxGraph& graph, Draws& draws) {
  OnnxNode& node = graph.nodes[draws.below(graph.nodes.size())];
  const OnnxNode& other = graph.nodes[draws.below(graph.nodes.size())];
  switch (draws.below(8)) {
    case 0:
      node.op = other.op;
      break;
    case 1:
      node.inputs = other.inputs;
      break;
    case 2:
      if (!node.inputs.empty()) node.inputs[draws.below(node.inputs.size())] = draws.one_in(4) ? "" : other.outputs.front();
      break;
    case 3:
      if (!node.inputs.empty() && !graph.initializers.empty()) {
        node.inputs[draws.below(node.inputs.size())] = graph.initializers[draws.below(graph.initializers.size())].name;
      }
      break;
    case 4:
      if (!node.inputs.empty()) node.inputs.pop_back();
      break;
    case 5:
      node.name = draws.one_in(2) ? other.name : std::string(draws.below(700), '$');
      break;
    case 6:
      node.attributes.insert(other.attributes.begin(), other.attributes.end());
      break;
    default:
      node.inputs.push_back(other.outputs.front());
  }
}

}  // namespace

OnnxGraph onnx_graph_of_many() {
  OnnxGraph graph;
  graph.inputs = {{"x", {0, 4, 6, 6}}};
  graph.initializers = {{"w", {4, 2, 3, 3}, onnx_values(72, 1)},
                        {"c4", {4}, std::vector<float>{1, 2, 0.5F, 1}},
                        {"m", {6, 5}, onnx_values(30, 2)},
                        {"g", {36, 3}, onnx_values(108, 3)},
                        {"a2", {1}, List{2}},
                        {"pads", {8}, List{0, 0, 1, 1, 0, 0, 1, 1}},
                        {"to", {3}, List{0, 4, -1}},
                        {"scales", {4}, std::vector<float>{1, 1, 2, 2}},
                        {"none", {0}, std::vector<float>{}},
                        {"begin", {1}, List{1}},
                        {"end", {1}, List{5}},
                        {"low", {}, std::vector<float>{-1}},
                        {"high", {}, std::vector<float>{1}},
                        {"two", {}, std::vector<float>{2}},
                        {"parts", {2}, List{2, 4}},
                        {"repeats", {4}, List{1, 1, 2, 1}},
                        {"ones", {4}, List{1, 1, 1, 1}},
                        {"picture", {1, 4, 6, 6}, onnx_values(144, 4)}};
  const std::vector<OnnxNode> nodes{
      {"Conv", {"x", "w", "c4"}, {"conv"}, {{"group", std::int64_t{2}}, {"pads", List{1, 1, 1, 1}}}},
      {"ConvTranspose", {"x", "w"}, {"up"}, {{"strides", List{2, 2}}, {"group", std::int64_t{2}}, {"output_padding", List{1, 1}}}},
      {"BatchNormalization", {"x", "c4", "c4", "c4", "c4"}, {"bn"}},
      {"InstanceNormalization", {"x", "c4", "c4"}, {"in"}},
      {"MaxPool", {"x"}, {"max"}, {{"kernel_shape", List{3, 3}}, {"strides", List{2, 2}}, {"ceil_mode", std::int64_t{1}}}},
      {"AveragePool", {"x"}, {"avg"}, {{"kernel_shape", List{2, 2}}, {"auto_pad", std::string("SAME_UPPER")}}},
      {"GlobalAveragePool", {"x"}, {"gap"}},
      {"MatMul", {"x", "m"}, {"matmul"}},
      {"Reshape", {"x", "to"}, {"rows"}},
      {"Flatten", {"x"}, {"flat"}, {{"axis", std::int64_t{1}}}},
      {"Transpose", {"x"}, {"transposed"}, {{"perm", List{0, 2, 3, 1}}}},
      {"Relu", {"transposed"}, {"relu"}},
      {"Transpose", {"relu"}, {"back"}, {{"perm", List{0, 3, 1, 2}}}},
      {"Softmax", {"rows"}, {"soft"}, {{"axis", std::int64_t{1}}}},
      {"ReduceMean", {"x"}, {"mean"}, {{"axes", List{2, 3}}}},
      {"ReduceL2", {"rows"}, {"l2"}, {{"axes", List{2}}, {"keepdims", std::int64_t{0}}}},
      {"Slice", {"x", "begin", "end", "a2", "a2"}, {"slice"}},
      {"Split", {"x", "parts"}, {"first", "second"}, {{"axis", std::int64_t{3}}}},
      {"Gather", {"x", "a2"}, {"gather"}, {{"axis", std::int64_t{1}}}},
      {"Concat", {"x", "picture", "conv"}, {"concat"}, {{"axis", std::int64_t{1}}}},
      {"Pad", {"x", "pads"}, {"pad"}, {{"mode", std::string("reflect")}}},
      {"Tile", {"x", "repeats"}, {"tile"}},
      {"Expand", {"x", "ones"}, {"expand"}},
      {"Resize", {"x", "none", "scales"}, {"resize"}, {{"mode", std::string("linear")}}},
      {"DepthToSpace", {"x"}, {"depth"}, {{"blocksize", std::int64_t{2}}}},
      {"Clip", {"x", "low", "high"}, {"clip"}},
      {"Pow", {"x", "two"}, {"pow"}},
      {"PRelu", {"flat", "two"}, {"prelu"}},
      {"Elu", {"x"}, {"elu"}, {{"alpha", 0.5F}}},
      {"LayerNormalization", {"matmul", "two"}, {"ln"}},
      {"Unsqueeze", {"flat", "a2"}, {"unsqueezed"}},
      {"Squeeze", {"unsqueezed", "a2"}, {"squeezed"}},
      {"Add", {"x", "bn"}, {"sum"}},
      {"Div", {"x", "two"}, {"div"}},
      {"Shape", {"x"}, {"shape"}},
      {"Gather", {"shape", "begin"}, {"channels"}},
      {"Range", {"begin", "end", "begin"}, {"range"}},
      {"ConstantOfShape", {"shape"}, {"zeros"}},
      {"Mul", {"range", "range"}, {"squares"}},
      {"Add", {"x", "zeros"}, {"same"}}};
  graph.nodes = nodes;
  for (const OnnxNode& node : graph.nodes) {
    for (const std::string& output : node.outputs) {
      if (output != "shape" && output != "channels" && output != "range" && output != "zeros" && output != "squares")
        graph.outputs.push_back({output, {}});
    }
  }
  return graph;
}

std::string mutate_onnx(OnnxGraph graph, Draws& draws) {
  if (draws.one_in(4)) return mutate_bytes(onnx_file(graph), draws);
  // Few outputs, so that what is changed isn't always beside other refusals.
  if (graph.outputs.size() > 4 && !draws.one_in(8)) {
    std::vector<OnnxEnd> some;
    for (std::uint64_t n = 1 + draws.below(4); n > 0; --n) some.push_back(draws.of(graph.outputs));
    graph.outputs = some;
  }
  for (std::uint64_t n = 1 + draws.below(3); n > 0; --n) {
    OnnxNode& node = graph.nodes[draws.below(graph.nodes.size())];
    switch (draws.below(6)) {
      case 0:
        mutate_node(graph, draws);
        break;
      case 1:
        if (!node.attributes.empty()) {
          auto at = node.attributes.begin();
          std::advance(at, static_cast<std::ptrdiff_t>(draws.below(node.attributes.size())));
          mutate_attribute(at->second, draws);
        }
        break;
      case 2:
      case 3:
        mutate_tensor(graph.initializers[draws.below(graph.initializers.size())], draws);
        break;
      case 4:
        mutate_list(graph.inputs.front().shape, draws);
        break;
      default:
        if (draws.one_in(2)) {
          graph.opset = static_cast<std::int64_t>(draws.below(24));
        } else {
          graph.outputs.push_back({draws.one_in(2) ? "x" : graph.nodes[draws.below(graph.nodes.size())].outputs.front(), {}});
        }
    }
  }
  return onnx_file(graph);
}

}  // namespace stair::tests
