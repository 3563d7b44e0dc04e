#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "frontend/importers/onnx/operator.h"
#include "frontend/importers/onnx/pattern.h"
#include "ir/error.h"
#include "runtime/checkpoint.h"
#include "runtime/file.h"
#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"
#include "tests/onnx/imported.h"

using namespace stair;
using tests::import_graph;
using tests::OnnxEnd;
using tests::OnnxGraph;
using tests::OnnxNode;
using tests::OnnxTensor;
using List = std::vector<std::int64_t>;
using Words = std::vector<std::string>;

namespace {

// What the small network computes, written from the definitions of its operators.
std::vector<float> small_network(const std::vector<float>& x, std::size_t examples) {
  const OnnxGraph graph = tests::small_onnx_graph();
  const auto values = [&](std::size_t i) { return std::get<std::vector<float>>(graph.initializers[i].values); };
  const std::vector<float> w = values(0), gamma = values(1), beta = values(2), mean = values(3), var = values(4), matrix = values(6),
                           bias = values(7);
  std::vector<float> result;
  for (std::size_t n = 0; n < examples; ++n) {
    std::vector<double> pooled(64, 0);
    for (int c = 0; c < 4; ++c) {
      for (int i = 0; i < 36; ++i) {
        double sum = 0;
        for (int k = 0; k < 9; ++k) {
          const int row = i / 6 + k / 3 - 1;
          const int column = i % 6 + k % 3 - 1;
          if (row < 0 || row > 5 || column < 0 || column > 5) continue;
          sum += static_cast<double>(w[static_cast<std::size_t>(9 * c + k)]) * x[n * 36 + static_cast<std::size_t>(6 * row + column)];
        }
        const auto channel = static_cast<std::size_t>(c);
        const double b = (sum - mean[channel]) / std::sqrt(var[channel] + 1e-3) * gamma[channel] + beta[channel];
        pooled[static_cast<std::size_t>(16 * c + (i / 6 + 1) / 2 * 4 + (i % 6 + 1) / 2)] += b / (1 + std::exp(-b)) / 4;
      }
    }
    for (std::size_t o = 0; o < 4; ++o) {
      double sum = bias[o];
      for (std::size_t k = 0; k < 64; ++k) sum += pooled[k] * matrix[k * 4 + o];
      result.push_back(static_cast<float>(sum));
    }
  }
  return result;
}

void check_near(const std::vector<float>& found, const std::vector<float>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-4));
}

// A graph of one input [N, …] and nodes that lead from "x" to "y".
OnnxGraph graph_of(List shape, std::vector<OnnxNode> nodes, std::vector<OnnxTensor> initializers = {}) {
  OnnxGraph graph;
  shape.insert(shape.begin(), 0);
  graph.inputs = {{"x", std::move(shape)}};
  graph.outputs = {{"y", {}}};
  graph.nodes = std::move(nodes);
  graph.initializers = std::move(initializers);
  return graph;
}

OnnxTensor number(const std::string& name, float value) {
  return {name, {}, std::vector<float>{value}};
}

// Of one input of 8 values: what becomes of it, and what it must be by the formula.
void check_function(std::vector<OnnxNode> nodes, std::vector<OnnxTensor> numbers, const Words& ops, double (*formula)(double)) {
  frontend::onnx::Made made = import_graph(graph_of({4}, std::move(nodes), std::move(numbers)));
  REQUIRE(made.problems == Words{});
  CHECK(tests::ops_of(made) == ops);
  std::vector<float> x = tests::onnx_values(8, 3);
  std::vector<float> expected;
  for (float& value : x) {
    value *= 4;
    expected.push_back(static_cast<float>(formula(static_cast<double>(value))));
  }
  check_near(tests::run_imported(made, x, 2), expected);
}

std::string error_of(const OnnxGraph& graph, const frontend::onnx::Options& options = {}) {
  try {
    frontend::onnx::expect_none(import_graph(graph, options).problems, "m.onnx");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a network as exporters write it becomes the layers that a person would write, for any batch") {
  frontend::onnx::Made made = import_graph(tests::small_onnx_graph());
  REQUIRE(made.problems == Words{});
  CHECK(tests::ops_of(made) == Words{"conv2d", "batch_norm", "silu", "avg_pool", "flatten", "linear"});
  CHECK(made.json["layers"][0] ==
        ir::Json({{"op", "conv2d"}, {"name", "conv"}, {"padding", 1}, {"out_channels", 4}, {"kernel", 3}, {"bias", false}}));
  CHECK(made.json["layers"][3]["padding"] == 1);
  for (const char* name : {"conv.weight", "bn.gamma", "bn.var", "fc.weight", "fc.bias"}) CHECK(made.weights.contains(name));
  for (const std::int64_t batch : {1, 3}) {
    const std::vector<float> x = tests::onnx_values(static_cast<std::size_t>(36 * batch), 7);
    check_near(tests::run_imported(made, x, batch), small_network(x, static_cast<std::size_t>(batch)));
  }
  SUBCASE("also where the file says how many examples there are") {
    OnnxGraph graph = tests::small_onnx_graph();
    for (const std::int64_t examples : {1, 5}) {
      graph.inputs.front().shape.front() = examples;
      frontend::onnx::Made fixed = import_graph(graph);
      CHECK(fixed.json == made.json);
    }
  }
}

TEST_CASE("activations that exporters write in pieces are one layer") {
  const auto mul = [](const char* a, const char* b, const char* y) { return OnnxNode{"Mul", {a, b}, {y}}; };
  const std::vector<OnnxNode> erf{{"Div", {"x", "root"}, {"s"}}, {"Erf", {"s"}, {"e"}}, {"Add", {"e", "one"}, {"p"}}};
  const std::vector<OnnxTensor> numbers{number("root", std::sqrt(2.0F)), number("one", 1), number("half", 0.5F)};
  const auto gelu = [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); };
  const auto with = [](std::vector<OnnxNode> nodes, const std::vector<OnnxNode>& more) {
    nodes.insert(nodes.end(), more.begin(), more.end());
    return nodes;
  };
  check_function(with(erf, {mul("x", "p", "q"), mul("q", "half", "y")}), numbers, {"gelu"}, gelu);
  check_function(with(erf, {mul("x", "half", "q"), mul("p", "q", "y")}), numbers, {"gelu"}, gelu);
  check_function(with(erf, {mul("half", "p", "q"), mul("x", "q", "y")}), numbers, {"gelu"}, gelu);
  const std::vector<OnnxTensor> of_swish{number("three", 3), number("zero", 0), number("six", 6), number("sixth", 1.0F / 6)};
  const std::vector<OnnxNode> gate{{"Add", {"x", "three"}, {"s"}}, {"Clip", {"s", "zero", "six"}, {"g"}}};
  const auto swish = [](double x) { return x * std::min(std::max(x + 3, 0.0), 6.0) / 6; };
  check_function(with(gate, {mul("x", "g", "q"), {"Div", {"q", "six"}, {"y"}}}), of_swish, {"hard_swish"}, swish);
  check_function(with(gate, {mul("g", "sixth", "q"), mul("x", "q", "y")}), of_swish, {"hard_swish"}, swish);
  check_function({{"HardSigmoid", {"x"}, {"g"}, {{"alpha", 1.0F / 6}, {"beta", 0.5F}}}, mul("g", "x", "y")}, {}, {"hard_swish"}, swish);
  check_function({{"Softplus", {"x"}, {"s"}}, {"Tanh", {"s"}, {"t"}}, mul("x", "t", "y")}, {}, {"mish"},
                 [](double x) { return x * std::tanh(std::log1p(std::exp(x))); });
  check_function({{"Max", {"x", "zero"}, {"m"}}, {"Min", {"m", "six"}, {"y"}}}, of_swish, {"relu6"},
                 [](double x) { return std::min(std::max(x, 0.0), 6.0); });
  check_function({{"Relu", {"x"}, {"m"}}, {"Min", {"m", "three"}, {"y"}}}, of_swish, {"clip"},
                 [](double x) { return std::min(std::max(x, 0.0), 3.0); });
  // What is read elsewhere, too, or isn't quite the formula, stays what it is.
  check_function(with(gate, {mul("x", "g", "q"), {"Div", {"q", "three"}, {"y"}}}), of_swish,
                 {"constant", "add", "relu6", "mul", "constant", "div"},
                 [](double x) { return x * std::min(std::max(x + 3, 0.0), 6.0) / 3; });
  check_function({{"Sigmoid", {"x"}, {"g"}}, mul("g", "g", "y")}, {}, {"sigmoid", "mul"},
                 [](double x) { return std::pow(1 / (1 + std::exp(-x)), 2); });
  CHECK(error_of(graph_of({4}, {{"Erf", {"x"}, {"y"}}})) ==
        "m.onnx: node 'y' (Erf, opset 17): no layer does that by itself, only as a part of others");
}

TEST_CASE("normalizations and softmax in pieces are one layer") {
  const std::vector<OnnxTensor> numbers{
      number("two", 2), number("eps", 1e-5F), {"g", {4}, std::vector<float>{1, 2, 3, 4}}, {"b", {4}, std::vector<float>{0, 1, 0, -1}}};
  const std::vector<OnnxNode> nodes{{"ReduceMean", {"x"}, {"m"}, {{"axes", List{-1}}}},
                                    {"Sub", {"x", "m"}, {"d"}},
                                    {"Sub", {"x", "m"}, {"d2"}},
                                    {"Pow", {"d2", "two"}, {"s"}},
                                    {"ReduceMean", {"s"}, {"v"}, {{"axes", List{-1}}}},
                                    {"Add", {"v", "eps"}, {"e"}},
                                    {"Sqrt", {"e"}, {"r"}},
                                    {"Div", {"d", "r"}, {"n"}},
                                    {"Mul", {"n", "g"}, {"t"}},
                                    {"Add", {"t", "b"}, {"y"}}};
  frontend::onnx::Made made = import_graph(graph_of({4}, nodes, numbers));
  REQUIRE(made.problems == Words{});
  CHECK(tests::ops_of(made) == Words{"layer_norm"});
  const float deviation = std::sqrt(1.25F + 1e-5F);
  check_near(tests::run_imported(made, {1, 2, 3, 4}, 1),
             {-1.5F / deviation, -0.5F / deviation * 2 + 1, 0.5F / deviation * 3, 1.5F / deviation * 4 - 1});

  const std::vector<OnnxNode> powers{{"ReduceMax", {"x"}, {"m"}, {{"axes", List{1}}}},
                                     {"Sub", {"x", "m"}, {"d"}},
                                     {"Exp", {"d"}, {"e"}},
                                     {"ReduceSum", {"e", "axis"}, {"s"}},
                                     {"Div", {"e", "s"}, {"y"}}};
  made = import_graph(graph_of({2, 3}, powers, {{"axis", {1}, List{1}}}));
  REQUIRE(made.problems == Words{});
  CHECK(tests::ops_of(made) == Words{"softmax"});
  CHECK(made.json["layers"][0]["axis"] == -2);
}

TEST_CASE("nodes with the same weights are layers that share them") {
  const OnnxGraph graph =
      graph_of({4},
               {{"MatMul", {"x", "w"}, {"a"}, {}, "first"},
                {"Add", {"a", "b"}, {"a1"}},
                {"Relu", {"a1"}, {"r"}},
                {"MatMul", {"r", "w"}, {"c"}, {}, "second"},
                {"Add", {"c", "b"}, {"c1"}},
                {"MatMul", {"c1", "v"}, {"y"}, {}, "third"}},
               {{"w", {4, 4}, tests::onnx_values(16, 1)}, {"v", {4, 4}, tests::onnx_values(16, 1)}, {"b", {4}, tests::onnx_values(4, 2)}});
  const frontend::onnx::Made made = import_graph(graph);
  REQUIRE(made.problems == Words{});
  CHECK(made.json["layers"][2]["weights_of"] == "first");
  CHECK(!made.json["layers"][3].contains("weights_of"));
  CHECK(made.weights.size() == 3);
}

TEST_CASE("transposes of exporters with channels last meet, and are gone") {
  const List to_first{0, 3, 1, 2};
  const List to_last{0, 2, 3, 1};
  const std::vector<OnnxTensor> weights{{"w", {2, 3, 1, 1}, tests::onnx_values(6, 1)}, {"v", {2, 2, 1, 1}, tests::onnx_values(4, 2)}};
  const std::vector<OnnxNode> nodes{{"Transpose", {"x"}, {"f"}, {{"perm", to_first}}},
                                    {"Conv", {"f", "w"}, {"c"}},
                                    {"Transpose", {"c"}, {"l"}, {{"perm", to_last}}},
                                    {"Relu", {"l"}, {"r"}, {}, "relu1"},
                                    {"Transpose", {"r"}, {"f2"}, {{"perm", to_first}}},
                                    {"Conv", {"f2", "v"}, {"c2"}},
                                    {"Transpose", {"c2"}, {"l2"}, {{"perm", to_last}}},
                                    {"ReduceMean", {"l2"}, {"y"}, {{"axes", List{1, 2}}, {"keepdims", std::int64_t{0}}}}};
  frontend::onnx::Made made = import_graph(graph_of({5, 4, 3}, nodes, weights));
  REQUIRE(made.problems == Words{});
  CHECK(tests::ops_of(made) == Words{"transpose", "conv2d", "relu", "conv2d", "reduce_mean"});
  CHECK(made.json["layers"][2]["name"] == "relu1");
  CHECK(made.json["layers"][4]["axes"] == ir::Json(List{2, 3}));
}

TEST_CASE("what an operator says differs from opset to opset, and means the same") {
  const std::vector<float> x = tests::onnx_values(12, 5);
  std::vector<float> expected;
  for (std::int64_t opset = 7; opset <= 21; ++opset) {
    INFO("opset ", opset);
    OnnxGraph graph = graph_of({2, 3, 1}, {});
    graph.opset = opset;
    graph.initializers = {{"pads", {8}, List{0, 0, 1, 0, 0, 0, 0, 0}},
                          {"axes", {1}, List{3}},
                          {"sides", {1}, List{2}},
                          {"one", {1}, List{1}},
                          number("low", -0.5F),
                          number("high", 0.25F),
                          {"begin", {1}, List{0}},
                          {"end", {1}, List{3}}};
    const auto add = [&](OnnxNode node, const char* input, std::int64_t from, std::map<std::string, tests::OnnxAttribute> before) {
      if (opset >= from && input != nullptr) node.inputs.emplace_back(input);
      if (opset < from) node.attributes.insert(before.begin(), before.end());
      graph.nodes.push_back(std::move(node));
    };
    add({"Dropout", {"x"}, {"d"}}, nullptr, 12, {{"ratio", 0.5F}});
    add({"Pad", {"d"}, {"p"}}, "pads", 11, {{"pads", List{0, 0, 1, 0, 0, 0, 0, 0}}});
    add({"Squeeze", {"p"}, {"s"}}, "axes", 13, {{"axes", List{3}}});
    OnnxNode slice{"Slice", {"s"}, {"cut"}};
    if (opset >= 10) slice.inputs = {"s", "begin", "end", "sides"};
    add(slice, nullptr, 10, {{"starts", List{0}}, {"ends", List{3}}, {"axes", List{2}}});
    OnnxNode clip{"Clip", {"cut"}, {"c"}};
    if (opset >= 11) clip.inputs = {"cut", "low", "high"};
    add(clip, nullptr, 11, {{"min", -0.5F}, {"max", 0.25F}});
    add({"ReduceMean", {"c"}, {"m"}}, "one", 18, {{"axes", List{1}}});
    add({"Unsqueeze", {"m"}, {"u"}}, "axes", 13, {{"axes", List{3}}});
    add({"ReduceSum", {"u"}, {"r"}}, "one", 13, {{"axes", List{1}}});
    add({"Softmax", {"r"}, {"y"}, {{"axis", std::int64_t{1}}}}, nullptr, 99, {});
    frontend::onnx::Made made = import_graph(graph);
    REQUIRE(made.problems == Words{});
    const std::vector<float> found = tests::run_imported(made, x, 2);
    // Over all that follows an axis before opset 13, over the axis alone from it on.
    if (opset == 7 || opset == 13) expected = found;
    check_near(found, expected);
    CHECK(found.size() == 6);
  }
}

TEST_CASE("all nodes that can't be had are told at once, each with its place") {
  const OnnxGraph graph = graph_of({4},
                                   {{"Relu", {"x"}, {"a"}},
                                    {"LSTM", {"a"}, {"b"}, {}, "cell"},
                                    {"Sigmoid", {"b"}, {"c"}},
                                    {"Pow", {"a", "half"}, {"d"}, {}, "power"},
                                    {"Thing", {"a"}, {"e"}, {}, "mine", "com.example"},
                                    {"Elu", {"a"}, {"f"}, {{"beta", 1.0F}}, "elu"},
                                    {"Sum", {"c", "d", "e", "f"}, {"y"}}},
                                   {number("half", 1.5F)});
  CHECK(import_graph(graph).problems ==
        Words{"node 'cell' (LSTM, opset 17): no layer does that",
              "node 'power' (Pow, opset 17): its exponent is 1.5, expected 0.5, 1, 2, 3, -1 or -0.5",
              "node 'mine' (Thing, domain 'com.example', opset 0): the file states no version of the domain 'com.example'",
              "node 'elu' (Elu, opset 17): its attribute 'beta' is unknown, or can't be had"});
  CHECK(error_of(graph_of({4}, {{"Conv", {"x", "x"}, {"y"}, {}, "conv"}})) ==
        "m.onnx: node 'conv' (Conv, opset 17): its input 'x' (W) is computed from the model's input, expected a constant");
  CHECK(error_of(graph_of({4}, {{"Relu", {"z"}, {"y"}}})) ==
        "m.onnx: node 'y' (Relu, opset 17): reads 'z', which nothing before it yields");
  CHECK(error_of(graph_of({4, 0}, {{"Relu", {"x"}, {"y"}}})) ==
        "m.onnx: its input 'x' leaves the dimension 'N' open, expected --input-shape x=N,…");
  CHECK(error_of(graph_of({4, 0}, {{"Relu", {"x"}, {"y"}}}), {{{"x", {4, 3}}}}) == "");
  CHECK(error_of(graph_of({4, 0}, {{"Relu", {"x"}, {"y"}}}), {{{"x", {5, 3}}}}) == "--input-shape x: found 5, m.onnx says 4");
  CHECK(error_of(graph_of({4}, {{"Relu", {"x"}, {"y"}}}), {{{"z", {4}}}}) ==
        "--input-shape z: m.onnx has no such input (did you mean 'x'?), expected 'x'");
  OnnxGraph old = graph_of({4}, {{"Relu", {"x"}, {"y"}}});
  old.opset = 22;
  CHECK(error_of(old) == "m.onnx: has opset 22, expected 1 to 21");
}

TEST_CASE("external data is taken from the model's folder alone, as many bytes as there are") {
  const tests::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "m");
  folder.write("secret", std::string(16, 'x'));
  folder.write("m/data.bin", std::string(4, '\0') + std::string("\0\0\x80\x3f\0\0\0\x40\0\0\0\x40\0\0\x80\x3f", 16));
  const auto outcome = [&](std::map<std::string, std::string> external) {
    OnnxGraph graph = graph_of({2}, {{"MatMul", {"x", "w"}, {"y"}}}, {{"w", {2, 2}, std::vector<float>{}, std::move(external)}});
    folder.write("m/m.onnx", tests::onnx_file(graph));
    return tests::run_stair({"import", "m/m.onnx", "-o", "out"}, folder.path());
  };
  CHECK(outcome({{"location", "data.bin"}, {"offset", "4"}, {"length", "16"}}).code == 0);
  const std::string begin = "stair: m/m.onnx: the external data of the tensor 'w' ";
  const auto refused = [&](std::map<std::string, std::string> external, const std::string& message) {
    const tests::Outcome found = outcome(std::move(external));
    CHECK(found.code == 2);
    CHECK(found.err == message + "\n");
  };
  refused({{"location", "../secret"}}, begin + "lies at '../secret', expected a file below the model's own folder");
  refused({{"location", "/etc/passwd"}}, begin + "lies at '/etc/passwd', expected a file below the model's own folder");
  refused({{"location", "data.bin"}, {"offset", "8"}}, begin + "lies at bytes 8 to 24 of 'data.bin', which has 20");
  refused({{"location", "data.bin"}, {"length", "12"}}, begin + "has 12 bytes, expected 16");
  refused({{"location", "data.bin"}, {"offset", "-1"}}, begin + "has the offset '-1', expected a number of bytes");
  refused({{"location", "none.bin"}}, "stair: m/none.bin: can't be opened: No such file or directory");
}

TEST_CASE("stair import writes a model and its weights, from which runs start and which stair run computes") {
  const tests::TemporaryFolder folder;
  OnnxGraph graph = tests::small_onnx_graph();
  folder.write("m.onnx", tests::onnx_file(graph));
  const tests::Outcome imported = tests::run_stair({"import", "m.onnx", "-o", "out"}, folder.path());
  CHECK(imported.code == 0);
  CHECK(imported.out == "out/model.json: 6 layers\nout/weights.safetensors: 7 tensors\n");
  CHECK(tests::run_stair({"import", "m.onnx", "--check"}, folder.path()).out == "m.onnx: can be imported\n");
  CHECK(tests::run_stair({"import", "m.onnx"}, folder.path()).err == "stair: expected --output FOLDER, or --check\n");

  std::string x = "\x93NUMPY\x01";
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 6, 6), }";
  header.resize(117, ' ');
  header += '\n';
  x += std::string("\0v\0", 3) + header;
  const std::vector<float> values = tests::onnx_values(72, 7);
  folder.write("x.npy", x + std::string(reinterpret_cast<const char*>(values.data()), 288));
  const tests::Outcome whole = tests::run_stair({"run", "m.onnx", "--input", "x.npy"}, folder.path());
  CHECK(whole.code == 0);
  CHECK(whole.out.find("image 1: class ") != std::string::npos);
  CHECK(tests::run_stair({"run", "out/model.json", "--weights", "out/weights.safetensors", "--input", "x.npy"}, folder.path()).out ==
        whole.out);
  CHECK(tests::run_stair({"run", "out/model.json", "--input", "x.npy"}, folder.path()).err ==
        "stair: out/model.json: holds no weights, expected --weights FILE\n");

  graph.nodes[2].op = "LSTM";
  folder.write("bad.onnx", tests::onnx_file(graph));
  const tests::Outcome bad = tests::run_stair({"import", "bad.onnx", "--check"}, folder.path());
  CHECK(bad.code == 1);
  CHECK(bad.out == "node 'gate' (LSTM, opset 17): no layer does that\n");
  CHECK(tests::run_stair({"import", "bad.onnx", "-o", "bad"}, folder.path()).err ==
        "stair: bad.onnx: node 'gate' (LSTM, opset 17): no layer does that\n");
}

TEST_CASE("an experiment takes an ONNX model in place, and starts from its weights") {
  const tests::TemporaryFolder folder;
  tests::write_pictures(folder, "train", 16, 6);
  tests::write_pictures(folder, "test", 8, 6);
  folder.write("m.onnx", tests::onnx_file(tests::small_onnx_graph()));
  ir::Json experiment = tests::small_experiment();
  experiment["model"] = "m.onnx";
  experiment.erase("augmentation");
  experiment.erase("checkpoint_every");
  experiment["stages"] = ir::Json::array({{{"kind", "calibrate"}, {"name", "ptq"}, {"batches", 1}}});
  folder.write("exp.json", experiment.dump());
  const tests::Outcome outcome = tests::run_stair({"train", "exp.json", "--run", "a"}, folder.path());
  CHECK(outcome.err == "");
  CHECK(outcome.code == 0);
  const runtime::Tensor weight = runtime::load_checkpoint(folder / "a/ptq.safetensors").states.at("conv.weight").clone();
  CHECK(std::vector<float>(weight.as<float>(), weight.as<float>() + 36) == tests::onnx_values(36, 1));
  CHECK(tests::run_stair({"import", "m.onnx", "-o", "out"}, folder.path()).code == 0);
  experiment["model"] = "out/model.json";
  experiment["start"] = "out/weights.safetensors";
  folder.write("exp.json", experiment.dump());
  CHECK(tests::run_stair({"train", "exp.json", "--run", "b"}, folder.path()).code == 0);
  CHECK(folder.read("a/ptq.stair") == folder.read("b/ptq.stair"));
}

TEST_CASE("docs/format-onnx.md has a line of every operator and pattern, as the registries have it") {
  const std::string page = runtime::read_file(STAIR_SOURCE_DIR "/docs/format-onnx.md");
  for (const auto& each : frontend::onnx::operators().all()) {
    const frontend::onnx::Operator& op = each.second;
    const std::string line = op.becomes.empty() ? "`" + op.name + "`" : "| `" + op.name + "` | " + op.becomes + " |";
    CHECK_MESSAGE(page.find(line) != std::string::npos, line);
  }
  for (const auto& each : frontend::onnx::patterns().all()) {
    const std::string line = "* " + each.second.summary;
    CHECK_MESSAGE(page.find(line) != std::string::npos, line);
  }
}
