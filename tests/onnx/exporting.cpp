#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <set>

#include "frontend/exporter.h"
#include "ir/error.h"
#include "ir/index_inputs.h"
#include "ir/op.h"
#include "ir/rebatch.h"
#include "runtime/file.h"
#include "tests/frontend/process.h"
#include "tests/onnx/evaluator.h"
#include "tests/onnx/imported.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"
#include "tests/support/random_recipe.h"
#include "tests/support/seeds.h"

// What can be said of exported files without another runtime: tests/onnx.sh holds them against ONNX Runtime.

using namespace stair;

namespace {

frontend::Exported exported(tests::QuantizedRun& run) {
  frontend::Exported made;
  made.artifact.graph = run.deployment.graph;
  for (const auto& [name, tensor] : run.deployment.constants) made.artifact.constants.emplace(name, tensor.clone());
  made.artifact.recipe = passes::to_json(run.recipe);
  made.artifact.inputs = {{{{0.5}, {0.25}}, {"u8", {}}}};
  made.quantizations = frontend::quantizations_of(run.model, run.recipe, run.states);
  return made;
}

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

struct File {
  std::string path = (std::filesystem::temp_directory_path() / ("stair_export_" + std::to_string(getpid()) + ".onnx")).string();
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::filesystem::remove(path); }
};

ir::Attributes settings(const std::string& style, bool preprocess = false, bool inexact = true) {
  return {{"style", style}, {"preprocess", preprocess}, {"allow_inexact", inexact}};
}

frontend::Written write(const frontend::Exported& model, const ir::Attributes& settings, const std::string& path) {
  return frontend::exporters().find("onnx")->write(model, settings, path);
}

std::map<std::string, int> count_ops(const frontend::onnx::Model& model) {
  std::map<std::string, int> ops;
  for (const frontend::onnx::Node& node : model.nodes) ++ops[node.op];
  return ops;
}

// Indices are of rows that there are: Gather knows no others.
std::vector<runtime::Tensor> inputs_for(const ir::Graph& model, std::uint64_t seed) {
  std::vector<runtime::Tensor> fed = tests::random_inputs(model, seed);
  for (std::size_t i = 0; i < fed.size(); ++i) {
    if (fed[i].type().dtype != ir::DType::i32) continue;
    const std::int64_t rows = ir::rows_of(model, model.inputs()[i]);
    for (std::int64_t e = 0; e < fed[i].count(); ++e) {
      std::int32_t& index = fed[i].as<std::int32_t>()[e];
      index = static_cast<std::int32_t>((index + rows) % rows);
    }
  }
  return fed;
}

std::map<std::string, tests::OnnxValue> as_onnx(const ir::Graph& model, const std::vector<runtime::Tensor>& fed) {
  std::map<std::string, tests::OnnxValue> inputs;
  for (std::size_t i = 0; i < fed.size(); ++i) {
    tests::OnnxValue& input = inputs[model.value(model.inputs()[i]).name];
    input.shape = fed[i].type().shape;
    const bool indices = fed[i].type().dtype == ir::DType::i32;
    if (indices) {
      input.type = frontend::onnx::ElementType::i32;
      input.integers.assign(fed[i].as<std::int32_t>(), fed[i].as<std::int32_t>() + fed[i].count());
    } else {
      input.reals.assign(fed[i].as<float>(), fed[i].as<float>() + fed[i].count());
    }
  }
  return inputs;
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
  File file;
  for (const std::uint64_t seed : tests::seeds(20)) {
    INFO(tests::replay(seed));
    const std::string recipe = tests::random_recipe(seed);
    CAPTURE(recipe);
    ir::Graph net = seed % 3 == 2 ? tests::random_moving_net(seed, 2) : tests::random_net(seed, 2);
    if (seed % 5 == 4) net = tests::random_attention_net(seed, 2);
    tests::QuantizedRun run = tests::quantized_run(std::move(net), recipe, 1, seed);
    const frontend::Exported model = exported(run);
    for (const std::string style : {"qdq", "qlinear"}) {
      CAPTURE(style);
      const std::size_t bytes = write(model, settings(style), file.path).bytes;
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

TEST_CASE("exported ONNX files compute the bits of the deployment graph, by their operators' definitions") {
  File file;
  int compared = 0;
  for (const std::uint64_t seed : tests::seeds(30)) {
    INFO(tests::replay(seed));
    const std::string recipe = tests::random_recipe(seed);
    CAPTURE(recipe);
    ir::Graph net = seed % 3 == 2 ? tests::random_moving_net(seed, 2) : tests::random_net(seed, 2);
    if (seed % 3 == 1) net = tests::random_attention_net(seed, 2);
    if (seed % 5 == 3) net = tests::random_shared_net(seed, 2);
    tests::QuantizedRun run = tests::quantized_run(std::move(net), recipe, 1, seed);
    const frontend::Exported model = exported(run);
    for (const std::string style : {"qdq", "qlinear"}) {
      CAPTURE(style);
      if (write(model, settings(style, false, false), file.path).bytes == 0) continue;  // not exact, and says so
      const frontend::onnx::Model read = frontend::onnx::read_model(runtime::read_file(file.path), file.path);
      if (count_ops(read)["QuantizeLinear"] == 0) continue;  // activations stay float
      const std::vector<runtime::Tensor> fed = inputs_for(run.model, seed);
      const auto outputs = tests::evaluate(read, as_onnx(run.model, fed));

      runtime::Executor executor = frontend::executor_for(ir::with_batch(run.deployment.graph, 2), run.deployment.constants, {});
      executor.run(runtime::views_of(fed));
      for (const ir::Output& output : run.deployment.graph.outputs()) {
        const ir::TensorView expected = executor.output(output.name);
        const tests::OnnxValue& found = outputs.at(output.name);
        REQUIRE(found.shape == expected.type.shape);
        std::int64_t differ = 0;
        for (std::int64_t i = 0; i < expected.count(); ++i) {
          const auto at = static_cast<std::size_t>(i);
          differ += runtime::element(expected, i) != (found.reals.empty() ? static_cast<double>(found.integers[at]) : found.reals[at]);
        }
        CHECK(differ == 0);
        ++compared;
      }
    }
  }
  CHECK(compared > 0);
  MESSAGE(compared << " files computed");
}

TEST_CASE("layers become what ONNX Runtime fuses, weights u8 around 128") {
  File file;
  tests::QuantizedRun run = tests::quantized_run(tests::small_lenet(2), R"("int8")", 1, 3);
  const frontend::Exported model = exported(run);
  write(model, settings("qdq"), file.path);
  std::map<std::string, int> ops = count_ops(frontend::onnx::read_model(runtime::read_file(file.path), file.path));
  CHECK(ops["Conv"] == 2);
  CHECK(ops["Gemm"] == 2);
  CHECK(ops["QuantizeLinear"] == 4);  // the input, two convolutions, one product
  CHECK(ops["MatMulInteger"] + ops["ConvInteger"] + ops["Mul"] == 0);
  write(model, settings("qlinear"), file.path);
  const frontend::onnx::Model read = frontend::onnx::read_model(runtime::read_file(file.path), file.path);
  ops = count_ops(read);
  CHECK(ops["QLinearConv"] == 2);
  CHECK(ops["MatMulInteger"] == 2);
  CHECK(ops["Conv"] + ops["Gemm"] == 0);
  for (const auto& [name, tensor] : read.initializers) CHECK(tensor.type != frontend::onnx::ElementType::s8);
}

TEST_CASE("a model with its preprocessing takes pictures of bytes") {
  File file;
  tests::QuantizedRun run = tests::quantized_run(tests::small_lenet(2), R"("int8")", 1, 3);
  write(exported(run), settings("qdq", true), file.path);
  const frontend::onnx::Model read = frontend::onnx::read_model(runtime::read_file(file.path), file.path);
  CHECK(read.inputs.front().type == frontend::onnx::ElementType::u8);
  CHECK(read.nodes[0].op == "Cast");
  CHECK(read.nodes[1].op == "Div");
  CHECK(read.nodes[2].op == "Sub");
  CHECK(read.nodes[3].op == "Div");
}

TEST_CASE("what ONNX Runtime computes otherwise is named, and written only where that is allowed") {
  File file;
  tests::QuantizedRun run = tests::quantized_run(tests::small_lenet(2), R"({"overrides": [{"pattern": "conv_2", "skip": true}]})", 1, 3);
  const frontend::Exported model = exported(run);
  const frontend::Written refused = write(model, settings("qdq", false, false), file.path);
  CHECK(refused.bytes == 0);
  CHECK(refused.inexact.size() >= 1);
  CHECK_FALSE(std::filesystem::exists(file.path));
  CHECK(write(model, settings("qdq"), file.path).bytes > 0);
}

TEST_CASE("a float model that is exported and imported computes what it did") {
  File file;
  for (const std::uint64_t seed : tests::seeds(10)) {
    INFO(tests::replay(seed));
    const ir::Graph net = tests::random_net(seed, 2);
    const frontend::Exported model = exported_float(net, seed);
    REQUIRE(write(model, settings("qdq"), file.path).inexact.empty());
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
  File file;
  const frontend::Exported model = exported_float(tests::small_lenet(2), 1);
  CHECK_THROWS_WITH_AS(write(model, settings("qlinear"), file.path), "--style: has no effect on a float model", Error);
}
