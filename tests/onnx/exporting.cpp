#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "frontend/exporter.h"
#include "ir/error.h"
#include "ir/op.h"
#include "runtime/file.h"
#include "tests/frontend/process.h"
#include "tests/onnx/exported.h"
#include "tests/onnx/imported.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"
#include "tests/support/random_recipe.h"
#include "tests/support/seeds.h"

// What can be said of exported files without another runtime: tests/onnx.sh holds them against ONNX Runtime.

using namespace stair;

namespace {

frontend::Exported exported_float(const ir::Graph& model, std::uint64_t seed) {
  runtime::Tensors states;
  runtime::initialize_states(model, seed, states);
  frontend::Deployment deployment = frontend::deploy_float(model, states);
  frontend::Exported made;
  made.artifact.graph = std::move(deployment.graph);
  made.artifact.constants = std::move(deployment.constants);
  made.artifact.inputs = {{{}, {"f32", {}}}};
  return made;
}

std::map<std::string, int> count_ops(const frontend::onnx::Model& model) {
  std::map<std::string, int> ops;
  for (const frontend::onnx::Node& node : model.nodes) ++ops[node.op];
  return ops;
}

// Each value is defined once, and before it is read.
void check_order(const frontend::onnx::Model& model) {
  std::set<std::string> defined;
  for (const auto& [name, tensor] : model.initializers) CHECK(defined.insert(name).second);
  for (const frontend::onnx::ValueInfo& input : model.inputs) CHECK(defined.insert(input.name).second);
  for (const frontend::onnx::Node& node : model.nodes) {
    CAPTURE(node.op);
    for (const std::string& input : node.inputs) CHECK((input.empty() || defined.contains(input)));
    for (const std::string& output : node.outputs) CHECK(defined.insert(output).second);
  }
  for (const frontend::onnx::ValueInfo& output : model.outputs) CHECK(defined.contains(output.name));
}

}  // namespace

TEST_CASE("exported ONNX files of random networks under random recipes are whole, in both styles") {
  tests::ExportFile file;
  for (const std::uint64_t seed : tests::seeds(20)) {
    INFO(tests::replay(seed));
    const std::string recipe = tests::random_recipe(seed);
    CAPTURE(recipe);
    ir::Graph net = seed % 3 == 2 ? tests::random_moving_net(seed, 2) : tests::random_net(seed, 2);
    if (seed % 5 == 4) net = tests::random_attention_net(seed, 2);
    tests::QuantizedRun run = tests::quantized_run(std::move(net), recipe, 1, seed);
    const frontend::Exported model = tests::exported(run);
    for (const std::string style : {"qdq", "qlinear"}) {
      CAPTURE(style);
      const std::size_t bytes = tests::export_onnx(model, tests::export_settings(style), file.path).bytes;
      REQUIRE(bytes == std::filesystem::file_size(file.path));
      const frontend::onnx::Model read = frontend::onnx::read_model(runtime::read_file(file.path), file.path);
      check_order(read);
      CHECK(read.opsets.at("") == 17);
      CHECK(read.outputs.size() == model.artifact.graph.outputs().size());
      for (std::size_t i = 0; i < read.inputs.size(); ++i) {
        CHECK(read.inputs[i].name == model.artifact.graph.value(model.artifact.graph.inputs()[i]).name);
      }
    }
  }
}

TEST_CASE("layers become what ONNX Runtime fuses, weights u8 around 128") {
  tests::ExportFile file;
  tests::QuantizedRun run = tests::quantized_run(tests::small_lenet(2), R"("int8")", 1, 3);
  const frontend::Exported model = tests::exported(run);
  tests::export_onnx(model, tests::export_settings("qdq"), file.path);
  std::map<std::string, int> ops = count_ops(frontend::onnx::read_model(runtime::read_file(file.path), file.path));
  CHECK(ops["Conv"] == 2);
  CHECK(ops["Gemm"] == 2);
  CHECK(ops["QuantizeLinear"] == 4);  // the input, two convolutions, one product
  CHECK(ops["MatMulInteger"] + ops["ConvInteger"] + ops["Mul"] == 0);
  tests::export_onnx(model, tests::export_settings("qlinear"), file.path);
  const frontend::onnx::Model read = frontend::onnx::read_model(runtime::read_file(file.path), file.path);
  ops = count_ops(read);
  CHECK(ops["QLinearConv"] == 2);
  CHECK(ops["MatMulInteger"] == 2);
  CHECK(ops["Conv"] + ops["Gemm"] == 0);
  for (const auto& [name, tensor] : read.initializers) CHECK(tensor.type != frontend::onnx::ElementType::s8);
}

TEST_CASE("a model with its preprocessing takes pictures of bytes") {
  tests::ExportFile file;
  tests::QuantizedRun run = tests::quantized_run(tests::small_lenet(2), R"("int8")", 1, 3);
  tests::export_onnx(tests::exported(run), tests::export_settings("qdq", true), file.path);
  const frontend::onnx::Model read = frontend::onnx::read_model(runtime::read_file(file.path), file.path);
  CHECK(read.inputs.front().type == frontend::onnx::ElementType::u8);
  CHECK(read.nodes[0].op == "Cast");
  CHECK(read.nodes[1].op == "Div");
  CHECK(read.nodes[2].op == "Sub");
  CHECK(read.nodes[3].op == "Div");
}

TEST_CASE("what ONNX Runtime computes otherwise is named, and written only where that is allowed") {
  tests::ExportFile file;
  tests::QuantizedRun run = tests::quantized_run(tests::small_lenet(2), R"({"overrides": [{"pattern": "conv_2", "skip": true}]})", 1, 3);
  const frontend::Exported model = tests::exported(run);
  const frontend::Written refused = tests::export_onnx(model, tests::export_settings("qdq", false, false), file.path);
  CHECK(refused.bytes == 0);
  CHECK(refused.inexact.size() >= 1);
  CHECK_FALSE(std::filesystem::exists(file.path));
  CHECK(tests::export_onnx(model, tests::export_settings("qdq"), file.path).bytes > 0);
}

TEST_CASE("a float model that is exported and imported computes what it did") {
  tests::ExportFile file;
  for (const std::uint64_t seed : tests::seeds(10)) {
    INFO(tests::replay(seed));
    const ir::Graph net = tests::random_net(seed, 2);
    const frontend::Exported model = exported_float(net, seed);
    REQUIRE(tests::export_onnx(model, tests::export_settings("qdq"), file.path).inexact.empty());
    frontend::onnx::Made made = frontend::onnx::import(frontend::onnx::read_model(runtime::read_file(file.path), file.path), {}, 1);
    INFO((made.problems.empty() ? std::string() : made.problems.front()));
    REQUIRE(made.problems.empty());

    const runtime::Tensor x = tests::random_images(net.type(net.inputs().front()), seed);
    const std::vector<float> found = tests::run_imported(made, {x.as<float>(), x.as<float>() + x.count()}, 2);
    runtime::Tensors states;
    runtime::initialize_states(net, seed, states);
    runtime::Executor executor = frontend::compile(net, passes::float_evaluation(), 2, states, {});
    const ir::TensorView view = x.view();
    executor.run({&view, 1});
    const ir::TensorView expected = executor.output(executor.graph().outputs().front().name);
    REQUIRE(static_cast<std::size_t>(expected.count()) == found.size());
    float largest = 0;
    for (std::size_t i = 0; i < found.size(); ++i) largest = std::max(largest, std::abs(expected.as<float>()[i]));
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(std::abs(found[i] - expected.as<float>()[i]) <= 1e-5F * largest);
  }
}

TEST_CASE("options that have no effect on an export are refused") {
  tests::ExportFile file;
  const frontend::Exported model = exported_float(tests::small_lenet(2), 1);
  CHECK_THROWS_WITH_AS(tests::export_onnx(model, tests::export_settings("qlinear"), file.path), "--style: has no effect on a float model",
                       Error);
}
