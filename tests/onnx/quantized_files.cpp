#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <map>

#include "frontend/importers/onnx/dequantized.h"
#include "frontend/importers/onnx/import.h"
#include "frontend/verification/onnx/evaluation.h"
#include "frontend/verification/onnx/imported.h"
#include "runtime/checkpoint.h"
#include "runtime/file.h"
#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"
#include "tests/onnx/exported.h"
#include "tests/support/model_builder.h"
#include "tests/support/onnx_file.h"
#include "tests/support/seeds.h"

// Quantized ONNX files, imported: the model computes the integers that the file's operators do by their definitions.

using namespace stair;

namespace {

using List = std::vector<std::int64_t>;

frontend::onnx::Model model_of(const tests::OnnxGraph& graph) {
  return frontend::onnx::read_model(tests::onnx_file(graph), "q.onnx");
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

// A convolution between quantizers, a pool, and a product in floats.
tests::OnnxGraph small_quantized_graph() {
  tests::OnnxGraph graph;
  graph.inputs = {{"x", {0, 1, 12, 12}}};
  graph.outputs = {{"y", {0, 4}}};
  List w;
  List matrix;
  for (std::int64_t i = 0; i < 36; ++i) w.push_back(i * 37 % 255 - 127);
  for (std::int64_t i = 0; i < 576; ++i) matrix.push_back(i * 41 % 255 - 127);
  const float x_scale = 0.0173F;
  const float y_scale = 0.0219F;
  const std::vector<float> w_scale{0.0031F, 0.0042F, 0.0053F, 0.0064F};
  std::vector<float> steps;
  for (const float scale : w_scale) steps.push_back(x_scale * scale);
  graph.initializers = {{"xs", {}, std::vector<float>{x_scale}},
                        {"xz", {}, List{27}, {}, 2},
                        {"w", {4, 1, 3, 3}, w, {}, 3},
                        {"ws", {4}, w_scale},
                        {"b", {4}, List{300, -200, 0, 77}, {}, 6},
                        {"bs", {4}, steps},
                        {"ys", {}, std::vector<float>{y_scale}},
                        {"yz", {}, List{0}, {}, 2},
                        {"m", {4, 144}, matrix, {}, 3},
                        {"ms", {}, std::vector<float>{0.0027F}},
                        {"c", {4}, List{11, -500, 42, 0}, {}, 6},
                        {"cs", {}, std::vector<float>{y_scale * 0.0027F}}};
  graph.nodes = {{"QuantizeLinear", {"x", "xs", "xz"}, {"xq"}, {}, "quantize_x"},
                 {"DequantizeLinear", {"xq", "xs", "xz"}, {"xd"}},
                 {"DequantizeLinear", {"w", "ws"}, {"wd"}, {{"axis", std::int64_t{0}}}},
                 {"DequantizeLinear", {"b", "bs"}, {"bd"}, {{"axis", std::int64_t{0}}}},
                 {"Conv", {"xd", "wd", "bd"}, {"conv_out"}, {{"kernel_shape", List{3, 3}}, {"pads", List{1, 1, 1, 1}}}, "conv"},
                 {"QuantizeLinear", {"conv_out", "ys", "yz"}, {"yq"}, {}, "quantize_conv"},
                 {"DequantizeLinear", {"yq", "ys", "yz"}, {"yd"}},
                 {"MaxPool", {"yd"}, {"pooled"}, {{"kernel_shape", List{2, 2}}, {"strides", List{2, 2}}}, "pool"},
                 {"QuantizeLinear", {"pooled", "ys", "yz"}, {"pq"}, {}, "quantize_pool"},
                 {"DequantizeLinear", {"pq", "ys", "yz"}, {"pd"}},
                 {"Flatten", {"pd"}, {"flat"}, {}, "flat"},
                 {"DequantizeLinear", {"m", "ms"}, {"md"}},
                 {"DequantizeLinear", {"c", "cs"}, {"cd"}},
                 {"Gemm", {"flat", "md", "cd"}, {"y"}, {{"transB", std::int64_t{1}}}, "fc"}};
  return graph;
}

}  // namespace

TEST_CASE("quantized ONNX files of others compute their integers once they are imported") {
  std::int64_t outputs = 0;
  for (const std::uint64_t seed : tests::seeds(40)) {
    INFO(tests::replay(seed));
    const frontend::onnx::Model file = model_of(tests::quantized_onnx_graph(seed));
    frontend::onnx::Made made = frontend::onnx::import(file, {}, 1);
    CAPTURE(joined(made.problems));
    REQUIRE(made.problems.empty());
    REQUIRE(made.recipe);
    const verification::onnx::ImportCheck check = verification::onnx::check_import(file, made);
    CHECK(check.differ == 0);
    outputs += check.outputs;
  }
  MESSAGE(outputs << " outputs compared");
}

TEST_CASE("exported ONNX files are imported again where layers of ONNX say all of them") {
  tests::ExportFile file;
  for (const std::string recipe : {R"({"activations": {"bits": 8}})", R"({"activations": {"bits": 4}, "weights": {"bits": 3}})",
                                   R"({"activations": {"symmetric": true}})", R"({"weights": {"granularity": "per_tensor"}})",
                                   R"({"quantize_output": true, "weights": {"narrow_range": false}})",
                                   R"({"overrides": [{"pattern": "linear", "activation_bits": 5}]})"}) {
    CAPTURE(recipe);
    tests::QuantizedRun run = tests::quantized_run(tests::small_lenet(2), recipe, 1, 3);
    tests::export_onnx(tests::exported(run), tests::export_settings("qdq", false, false), file.path);
    const frontend::onnx::Model read = frontend::onnx::read_model(runtime::read_file(file.path), file.path);
    frontend::onnx::Made made = frontend::onnx::import(read, {}, 1);
    CAPTURE(joined(made.problems));
    REQUIRE(made.recipe);
    const verification::onnx::ImportCheck check = verification::onnx::check_import(read, made);
    CHECK(check.differ == 0);
    CHECK(check.outputs > 0);
  }
}

TEST_CASE("weights of 4 bits keep them, activations of few bits, too") {
  tests::OnnxGraph graph = small_quantized_graph();
  graph.opset = 21;
  graph.initializers[2].type = 22;
  for (std::int64_t& weight : std::get<List>(graph.initializers[2].values))
    weight = weight % 16 < -8 ? -8 : weight % 16 > 7 ? 7 : weight % 16;
  graph.initializers.push_back({"lo", {}, List{0}, {}, 2});
  graph.initializers.push_back({"hi", {}, List{15}, {}, 2});
  graph.nodes[5].outputs = {"wide"};
  graph.nodes.insert(graph.nodes.begin() + 6, {"Clip", {"wide", "lo", "hi"}, {"yq"}, {}, "limit"});
  const frontend::onnx::Model file = model_of(graph);
  frontend::onnx::Made made = frontend::onnx::import(file, {}, 1);
  CAPTURE(joined(made.problems));
  REQUIRE(made.recipe);
  CHECK(made.recipe->weight_bits_of("conv") == 4);
  CHECK(made.recipe->weight_bits_of("fc") == 8);
  CHECK(verification::onnx::check_import(file, made).differ == 0);
}

TEST_CASE("what a quantized file has and models don't is told a line a node, all at once") {
  tests::OnnxGraph graph = small_quantized_graph();
  graph.initializers[5].values = std::vector<float>{1e-4F, 1e-4F, 1e-4F, 1e-4F};  // of the bias
  CHECK(joined(frontend::onnx::import(model_of(graph), {}, 1).problems) ==
        "layer 'conv': its bias isn't in steps of x_scale * w_scale, expected int32 of these\n");

  graph = small_quantized_graph();
  graph.initializers.push_back({"other", {}, std::vector<float>{0.5F}});
  graph.nodes[8].inputs[1] = "other";  // behind the pool
  graph.nodes[9].inputs[1] = "other";
  const std::string differs = joined(frontend::onnx::import(model_of(graph), {}, 1).problems);
  CHECK(differs.find("is quantized in the file (scale 0.5, zero point 0, 8 bits), where models have no quantizer") != std::string::npos);

  graph = small_quantized_graph();
  graph.nodes[1].inputs[1] = "ys";
  graph.initializers[8].type = 2;  // weights of unsigned integers without a zero point
  for (std::int64_t& weight : std::get<List>(graph.initializers[8].values)) weight = 200;
  const std::vector<std::string> problems = frontend::onnx::import(model_of(graph), {}, 1).problems;
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].find("node 'xd' (DequantizeLinear, opset 17): it takes 'xq' with scale 0.0219") == 0);
  CHECK(problems[1] == "node 'md' (DequantizeLinear, opset 17): 'm' holds 200 steps from its zero point, expected -128 to 127");
}

TEST_CASE("an imported quantized file is a checkpoint: exported, run, and trained on") {
  const tests::TemporaryFolder folder;
  tests::write_pictures(folder, "train", 64);
  tests::write_pictures(folder, "test", 20);
  folder.write("q.onnx", tests::onnx_file(small_quantized_graph()));
  const auto stair = [&](const std::vector<std::string>& words) { return tests::run_stair(words, folder.path()); };
  const tests::Outcome imported = stair({"import", "q.onnx", "-o", "net"});
  INFO(imported.err);
  REQUIRE(imported.code == 0);
  CHECK(imported.out.find("0 of 16 outputs of random inputs differ from those of the file's operators") != std::string::npos);
  REQUIRE(stair({"export", "net/quantized.safetensors", "-o", "net.stair"}).code == 0);
  CHECK(stair({"eval", "net/quantized.safetensors"}).err.find("no data are stated") != std::string::npos);

  // With data: as it is, and trained further, with its scales or by observers that begin with its ranges.
  ir::Json experiment = tests::small_experiment();
  experiment["data"].erase("mean");
  experiment["data"].erase("std");
  experiment.erase("augmentation");
  experiment.erase("checkpoint_every");
  experiment["model"] = "q.onnx";
  experiment["recipe"] = {{"weights", {{"method", "lsq"}}}, {"activations", {{"observer", "fixed"}}}};
  experiment["stages"] = ir::Json::array({{{"kind", "calibrate"}, {"name", "as_it_is"}, {"batches", 1}},
                                          {{"kind", "qat"}, {"epochs", 1}, {"optimizer", {{"learning_rate", 0.001}}}}});
  folder.write("exp.json", experiment.dump());
  const tests::Outcome trained = stair({"train", "exp.json", "--run", "a", "--quiet", "--threads", "1"});
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  const runtime::Checkpoint before = runtime::load_checkpoint(folder / "a/as_it_is.safetensors");
  const runtime::Checkpoint after = runtime::load_checkpoint(folder / "a/qat.safetensors");
  CHECK(*before.states.at("x.scale").as<float>() == 0.0173F);
  CHECK(*after.states.at("x.scale").as<float>() == 0.0173F);
  CHECK(*after.states.at("x.zero_point").as<std::int32_t>() == 27);
  CHECK(*after.states.at("conv.weight").as<float>() != *before.states.at("conv.weight").as<float>());
  for (const std::string stage : {"as_it_is", "qat"}) {
    const tests::Outcome held = stair({"verify", "a/" + stage + ".safetensors", "a/" + stage + ".stair", "--threads", "1"});
    INFO(held.out << held.err);
    CHECK(held.code == 0);
  }
  experiment.erase("recipe");
  experiment["start"] = "net/quantized.safetensors";
  experiment["model"] = "net/model.json";
  experiment["stages"] = ir::Json::array({{{"kind", "qat"},
                                           {"epochs", 1},
                                           {"optimizer", {{"learning_rate", 0.001}}},
                                           {"recipe", {{"schedule", {{"freeze_observers_epoch", 0}}}}}}});
  folder.write("exp.json", experiment.dump());
  const tests::Outcome observed = stair({"train", "exp.json", "--run", "b", "--quiet", "--threads", "1"});
  INFO(observed.err);
  REQUIRE(observed.code == 0);
  CHECK(*runtime::load_checkpoint(folder / "b/qat.safetensors").states.at("x.min").as<float>() == -27 * 0.0173F);

  experiment["recipe"] = {{"activations", {{"observer", "fixed"}}}};
  experiment.erase("start");
  experiment["stages"][0].erase("recipe");
  folder.write("exp.json", experiment.dump());
  CHECK(stair({"train", "exp.json", "--run", "c", "--quiet"})
            .err.find("found 'fixed', which watches nothing, and the quantizer of 'x' has "
                      "no scale") != std::string::npos);
}

TEST_CASE("integers of 64 bits, where quantized files have 8 or 32, are refused before anything is computed of them") {
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  const auto evaluate = [](const tests::OnnxGraph& graph) {
    const frontend::onnx::Model file = model_of(graph);
    verification::onnx::Evaluation evaluation(file, {});
    std::map<std::string, verification::onnx::Value> inputs;
    inputs.emplace("x", verification::onnx::made(frontend::onnx::ElementType::f32, {1, 1, 12, 12}));
    evaluation.run(inputs);
  };
  // Zero points of weights and of a bias, weights, a bias.
  for (const std::size_t of : {std::size_t{2}, std::size_t{4}}) {
    tests::OnnxGraph graph = small_quantized_graph();
    graph.initializers.push_back({"zero", {}, List{least}, {}, 7});
    graph.nodes[of == 2 ? 2 : 3].inputs.push_back("zero");
    CHECK(joined(frontend::onnx::import(model_of(graph), {}, 1).problems).find("its zero point is int64, expected") != std::string::npos);
    CHECK_THROWS_WITH_AS(evaluate(graph), doctest::Contains("its zero points have more than 16 bits"), Error);

    graph = small_quantized_graph();
    graph.initializers[of].type = 7;
    std::get<List>(graph.initializers[of].values).front() = least;
    CHECK_FALSE(frontend::onnx::import(model_of(graph), {}, 1).problems.empty());
    CHECK_THROWS_WITH_AS(evaluate(graph), doctest::Contains("isn't of integers of up to 32 bits"), Error);
  }
  // Of an operator on integers: x, its zero point, weights, their zero point, bias.
  for (const std::size_t of : {std::size_t{2}, std::size_t{3}, std::size_t{5}, std::size_t{8}}) {
    CAPTURE(of);
    tests::OnnxGraph graph = small_quantized_graph();
    graph.nodes.resize(1);
    graph.outputs = {{"yq", {0, 4, 12, 12}}};
    graph.initializers.push_back({"wz", {}, List{0}, {}, 3});
    graph.initializers.push_back({"large", {of == 3 ? 4 : 1, 1, 3, 3}, List(of == 3 ? 36 : 9, least), {}, 7});
    if (of != 3) graph.initializers.back() = {"large", {of == 8 ? 4 : 1}, List(of == 8 ? 4 : 1, least), {}, 7};
    tests::OnnxNode node{"QLinearConv", {"xq", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"}, {"yq"}, {{"pads", List{1, 1, 1, 1}}}, "conv"};
    node.inputs[of] = "large";
    graph.nodes.push_back(node);
    CHECK_THROWS_AS(evaluate(graph), Error);
    CHECK_FALSE(frontend::onnx::import(model_of(graph), {}, 1).problems.empty());
  }
}
