#include <doctest/doctest.h>

#include <cstring>
#include <set>

#include "frontend/verification/onnx/subject.h"
#include "ir/error.h"
#include "ir/random.h"
#include "runtime/file.h"
#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"
#include "tests/onnx/exported.h"
#include "tests/support/model_builder.h"
#include "tests/support/random_recipe.h"
#include "tests/support/seeds.h"

// What `stair verify` says of ONNX files: it evaluates them by their operators' definitions.

using namespace stair;

namespace {

using frontend::onnx::ElementType;

verification::Verification verify_file(tests::QuantizedRun& run, const frontend::onnx::Model& file, bool simulate = false) {
  std::vector<std::vector<runtime::Tensor>> images;
  for (std::uint64_t b = 0; b < 2; ++b) images.push_back(tests::random_valid_inputs(run.model, 777 + b));
  const auto batches = [&](std::int64_t b) {
    return verification::VerifyBatch{runtime::views_of(images[static_cast<std::size_t>(b)]), run.model.batch()};
  };
  const auto subjects = [&](const ir::Graph& deployed, const std::vector<std::string>& values) {
    return std::vector<verification::Subject>{verification::onnx::subject_of(file, deployed, values)};
  };
  return verification::verify(run.model, run.recipe, run.states, run.deployment.graph, subjects, batches, 2, 1, simulate);
}

ir::Graph random_network(std::uint64_t seed) {
  if (seed % 5 == 3) return tests::random_shared_net(seed, 2);
  if (seed % 3 == 2) return tests::random_moving_net(seed, 2);
  return seed % 3 == 1 ? tests::random_attention_net(seed, 2) : tests::random_net(seed, 2);
}

frontend::onnx::Model read(const std::string& path) {
  return frontend::onnx::read_model(runtime::read_file(path), path);
}

// Another element of a constant: an integer by 1, a float by a quarter.
template <class T>
void change(frontend::onnx::Tensor& tensor, std::size_t at, std::list<std::string>& bytes) {
  std::string& raw = bytes.emplace_back(tensor.raw);
  T value;
  std::memcpy(&value, raw.data() + at * sizeof(T), sizeof(T));
  if constexpr (std::is_floating_point_v<T>) {
    value = value == 0 ? T{1} : value * T{1.25};
  } else {
    value = static_cast<T>(value > 0 ? value - 1 : value + 1);
  }
  std::memcpy(raw.data() + at * sizeof(T), &value, sizeof(T));
  tensor.raw = raw;
}

}  // namespace

TEST_CASE("exported ONNX files of random networks are held against training: 0 differ, in both styles") {
  tests::ExportFile file;
  int files = 0;
  std::int64_t integers = 0;
  for (const std::uint64_t seed : tests::seeds(30)) {
    INFO(tests::replay(seed));
    const std::string recipe = tests::random_recipe(seed);
    CAPTURE(recipe);
    tests::QuantizedRun run = tests::quantized_run(random_network(seed), recipe, 1, seed);
    const frontend::Exported model = tests::exported(run);
    for (const std::string style : {"qdq", "qlinear"}) {
      CAPTURE(style);
      tests::export_onnx(model, tests::export_settings(style), file.path);
      const verification::Verification report = verify_file(run, read(file.path), true);
      for (const verification::IntegerComparison& comparison : report.integers) {
        if (comparison.first) MESSAGE(comparison.first->node << " " << comparison.first->op);
      }
      CHECK(report.mismatches() == 0);
      CHECK(report.wrong() == 0);
      integers += report.elements();
      ++files;
    }
  }
  MESSAGE(files << " files, " << integers << " integers compared");
  CHECK(integers > 0);
}

TEST_CASE("an error in an exported ONNX file is found: in any weight, bias, scale, zero point or table") {
  tests::ExportFile file;
  int planted = 0;
  for (const std::uint64_t seed : tests::seeds(6)) {
    INFO(tests::replay(seed));
    tests::QuantizedRun run = tests::quantized_run(random_network(seed), tests::random_recipe(seed), 1, seed);
    const frontend::Exported model = tests::exported(run);
    tests::export_onnx(model, tests::export_settings(seed % 2 == 0 ? "qdq" : "qlinear"), file.path);
    const frontend::onnx::Model whole = read(file.path);
    std::uint64_t n = 0;
    for (const auto& initializer : whole.initializers) {
      const std::string& name = initializer.first;
      const frontend::onnx::Tensor& tensor = initializer.second;
      CAPTURE(name);
      const auto count = static_cast<std::uint64_t>(ir::element_count(tensor.shape));
      const std::size_t at = ir::random_bits(seed, 5, 0, n++) % count;
      frontend::onnx::Model changed = read(file.path);
      frontend::onnx::Tensor& its = changed.initializers.find(name)->second;
      if (tensor.type == ElementType::u8) change<std::uint8_t>(its, at, changed.bytes);
      if (tensor.type == ElementType::i32) change<std::int32_t>(its, at, changed.bytes);
      if (tensor.type == ElementType::f32) change<float>(its, at, changed.bytes);
      if (its.raw == tensor.raw) continue;  // shapes and axes
      ++planted;
      std::string found;
      try {
        const verification::Verification report = verify_file(run, changed);
        for (const verification::IntegerComparison& comparison : report.integers) {
          if (comparison.first) found = comparison.first->node;
        }
      } catch (const Error& error) {
        found = error.what();
      }
      std::string readers;
      for (const frontend::onnx::Node& node : whole.nodes) {
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
          if (node.inputs[i] == name) readers += node.name + " (" + node.op + ") " + std::to_string(i) + ", ";
        }
      }
      CHECK_MESSAGE(!found.empty(), name << "[" << at << "] of " << frontend::onnx::to_string(tensor.type) << ", read by " << readers);
    }
  }
  MESSAGE(planted << " errors planted");
}

TEST_CASE("stair verify takes an ONNX file in the place of an artifact, with its preprocessing or without") {
  const tests::TemporaryFolder folder;
  tests::write_experiment(folder);
  REQUIRE(tests::run_stair({"train", "exp.json", "--run", "run", "--quiet", "--threads", "1"}, folder.path()).code == 0);
  REQUIRE(tests::run_stair({"export", "run", "--to", "onnx", "-o", "m.onnx"}, folder.path()).code == 0);
  REQUIRE(tests::run_stair({"export", "run", "--to", "onnx", "--preprocess", "--style", "qlinear", "-o", "p.onnx"}, folder.path()).code ==
          0);
  for (const std::string file : {"m.onnx", "p.onnx"}) {
    CAPTURE(file);
    const tests::Outcome held = tests::run_stair({"verify", "run", file}, folder.path());
    INFO(held.out << held.err);
    CHECK(held.code == 0);
    CHECK(held.out.find("the file's operators") != std::string::npos);
  }
  const tests::Outcome other = tests::run_stair({"verify", "run/ptq.safetensors", "m.onnx", "--no-simulation"}, folder.path());
  CHECK(other.code == 1);
  CHECK(other.out.find("DOES NOT HOLD") != std::string::npos);
  CHECK(tests::run_stair({"verify", "run", "m.onnx", "--threads", "1"}, folder.path()).err ==
        "stair: --threads: has no effect on an ONNX file, which its operators' definitions evaluate\n");
}

TEST_CASE("what training has no counterpart of, or another one, is told by name") {
  tests::ExportFile file;
  tests::QuantizedRun run = tests::quantized_run(tests::small_lenet(2), R"("int8")", 1, 3);
  tests::export_onnx(tests::exported(run), tests::export_settings("qdq"), file.path);
  frontend::onnx::Model model = read(file.path);
  std::string renamed;
  for (frontend::onnx::Node& node : model.nodes) {
    if (renamed.empty() && node.op == "QuantizeLinear" && node.outputs[0] != "x.q") renamed = node.outputs[0];
    for (std::vector<std::string>* names : {&node.inputs, &node.outputs}) {
      for (std::string& name : *names) name = !renamed.empty() && name == renamed ? "else" : name;
    }
  }
  const std::string expected = file.path + ": has no value '" + renamed + "', expected one for each of training's that is deployed";
  CHECK_THROWS_WITH_AS(verify_file(run, model), expected.c_str(), Error);

  model = read(file.path);
  model.inputs.front().name = "y";
  const std::string inputs = file.path + ": has the inputs 'y', expected 'x'";
  CHECK_THROWS_WITH_AS(verify_file(run, model), inputs.c_str(), Error);

  model = read(file.path);
  for (frontend::onnx::Node& node : model.nodes) {
    if (node.op == "MaxPool") node.op = "LSTM";
  }
  CHECK_THROWS_AS(verify_file(run, model), Error);
}
