#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "frontend/compile.h"
#include "frontend/readers/json_file.h"
#include "ir/op.h"
#include "ir/random.h"
#include "ir/rebatch.h"
#include "passes/recipe.h"
#include "runtime/artifact.h"
#include "runtime/batches.h"
#include "runtime/file.h"
#include "runtime/npy.h"
#include "runtime/safetensors.h"
#include "tests/frontend/process.h"

// Files of arithmetic version 1, written by the program of that time: NAME.stair, an input NAME.x.npy and what came out, NAME.y.npy.

using namespace stair;
using ir::Json;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

const std::string version_1_folder = std::string(STAIR_SOURCE_DIR) + "/tests/artifacts/v1/";

std::vector<std::string> version_1_names() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(version_1_folder)) {
    if (entry.path().extension() == ".stair") found.push_back(entry.path().stem());
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Those whose integers stand behind sums of floats, whose last bits are the machine's.
bool stands_behind_floats(const std::string& name) {
  return name == "binary" || name == "float_islands" || name == "shapes";
}

runtime::Tensor version_1_input(const std::string& name, const runtime::Artifact& artifact) {
  runtime::Tensor given = runtime::read_npy(version_1_folder + name + ".x.npy");
  if (given.type().dtype == ir::DType::f32) return given;
  const std::int64_t count = given.type().shape.front();
  const runtime::Dataset pictures{std::move(given), runtime::Tensor({ir::DType::i32, {count}}), name};
  runtime::Batches batches(pictures, count, {artifact.inputs.front().normalization}, {}, 0);
  batches.load_evaluation(0);
  runtime::Tensor input(batches.inputs().front().type);
  std::copy_n(batches.inputs().front().as<float>(), input.count(), input.as<float>());
  return input;
}

constexpr const char* checkpoint_format = "staircase checkpoint";

runtime::Safetensors read_safetensors(const std::string& path, const char* format) {
  return runtime::from_safetensors(runtime::read_file(path), path, format, 1);
}
void change_metadata(const std::string& path, const char* format, const std::string& key, const std::string& value) {
  runtime::Safetensors contents = read_safetensors(path, format);
  contents.metadata[key] = value;
  runtime::write_file(path, runtime::to_safetensors(contents, format, 1));
}

// The run that the checkpoint is the last of, with random data of its own and one more epoch to go.
std::string continued_run(const TemporaryFolder& folder, const std::string& name, const Json& recipe = {}, int more_epochs = 5) {
  runtime::Safetensors contents = read_safetensors(version_1_folder + name + ".safetensors", checkpoint_format);
  Json experiment = Json::parse(contents.metadata["experiment"]);
  if (!recipe.is_null()) {
    experiment["recipe"] = recipe;
    contents.metadata["recipe"] = passes::to_json(passes::recipe_from_json(recipe.dump()));
  }
  ir::Shape shape{24};
  for (const Json& dim : experiment["model"]["input"]["shape"]) shape.push_back(dim.get<std::int64_t>());
  const bool pictures = !experiment["data"].value("mean", Json::array()).empty();
  runtime::Tensor images({pictures ? ir::DType::u8 : ir::DType::f32, shape});
  runtime::Tensor labels({ir::DType::i32, {24}});
  for (std::int64_t i = 0; i < images.count(); ++i) {
    const std::uint64_t draw = ir::random_bits(5, 1, 0, static_cast<std::uint64_t>(i)) % 256;
    if (pictures) {
      images.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(draw);
    } else {
      images.as<float>()[i] = static_cast<float>(draw) / 64 - 2;
    }
  }
  for (std::int64_t i = 0; i < 24; ++i) labels.as<std::int32_t>()[i] = static_cast<std::int32_t>(i % 3);
  runtime::write_npy(images.view(), folder / "x.npy");
  runtime::write_npy(labels.view(), folder / "y.npy");
  for (const char* part : {"train", "test"}) {
    for (const auto& [key, name_of_file] : {std::pair{"images", "x.npy"}, {"labels", "y.npy"}}) {
      experiment["data"][part][key] = Json::array({std::filesystem::path(folder / name_of_file).lexically_normal().string()});
    }
  }
  Json& epochs = experiment["stages"].back()["epochs"];
  epochs = epochs.get<int>() + more_epochs;  // the checkpoint's epochs had 4 steps, these have 2
  contents.metadata["experiment"] = experiment.dump();
  folder.write("e.json", experiment.dump());
  std::filesystem::create_directory(folder / "run");
  runtime::write_file(folder / "run/last.safetensors", runtime::to_safetensors(contents, checkpoint_format, 1));
  // What the interrupted process left of the stages before.
  for (const Json& stage : experiment["stages"]) {
    folder.write("run/" + stage.value("name", stage["kind"].get<std::string>()) + ".json", R"({"test_accuracy": 0.5})");
  }
  return folder / "run";
}

}  // namespace

TEST_CASE("a checkpoint of arithmetic version 1 is exported in version 2 and trains on") {
  for (const std::string name : {"jacob2017", "float_islands"}) {
    CAPTURE(name);
    const TemporaryFolder folder;
    const std::string run = continued_run(folder, name);
    const std::string old = run + "/last.safetensors";
    CHECK(run_stair({"inspect", old}, folder.path()).out.find("arithmetic version 1") != std::string::npos);

    tests::Outcome outcome = run_stair({"export", old, "-o", "old.stair"}, folder.path());
    CHECK(outcome.err == "");
    CHECK(runtime::load_artifact(folder / "old.stair").arithmetic == 2);
    outcome = run_stair({"verify", old, "old.stair", "--backend", "reference", "--threads", "1"}, folder.path());
    CHECK(outcome.code == 0);
    CHECK(outcome.out.starts_with(old + " was trained in arithmetic version 1; compared in version 2"));

    // The artifact of that time is another matter.
    outcome = run_stair({"verify", old, version_1_folder + name + ".stair"}, folder.path());
    CHECK(outcome.code == 2);
    CHECK(outcome.err.find(name + ".stair: is of arithmetic version 1, and this program trains in version 2") != std::string::npos);

    outcome = run_stair({"train", "e.json", "--run", "run", "--resume", "--quiet"}, folder.path());
    CHECK(outcome.err == "");
    CHECK(outcome.code == 0);
    outcome = run_stair({"verify", "run", "run/qat.stair", "--backend", "reference", "--threads", "1"}, folder.path());
    CHECK(outcome.code == 0);
    CHECK(outcome.out.find("arithmetic version") == std::string::npos);
    CHECK(run_stair({"inspect", "run/qat.stair"}, folder.path()).out.starts_with("arithmetic version 2\n"));
  }
}

TEST_CASE("a run of version 1 trains on with a batch-norm by itself: in float where nothing watches any more what stands before it") {
  const Json frozen{{"freeze_observers_epoch", 1}, {"freeze_batch_norm_epoch", 1.5}};
  const Json watching{{"freeze_observers_epoch", 4.5}};
  struct Case {
    Json schedule;
    int more_epochs;
    bool integers;
  };
  for (const Case& it : {Case{frozen, 5, false}, Case{watching, 5, true}, Case{Json::object(), 2, false}}) {  // the last one is at its end
    CAPTURE(it.schedule.dump());
    const TemporaryFolder folder;
    const std::string run = continued_run(folder, "float_islands", {{"base", "int8"}, {"schedule", it.schedule}}, it.more_epochs);
    for (int resumed = 0; resumed < 2; ++resumed) {
      CAPTURE(resumed);
      tests::Outcome outcome = run_stair({"train", "e.json", "--run", "run", "--resume", "--quiet"}, folder.path());
      CHECK(outcome.err == "");
      REQUIRE(outcome.code == 0);
      outcome = run_stair({"verify", "run", "run/qat.stair", "--backend", "reference", "--threads", "1"}, folder.path());
      CHECK(outcome.code == 0);
      const runtime::Artifact artifact = runtime::load_artifact(run + "/qat.stair");
      CHECK(artifact.arithmetic == 2);
      int norms = 0;
      for (const ir::Node& node : artifact.graph.nodes()) norms += node.op->name == "batch_norm_inference" ? 1 : 0;
      CHECK(norms == (it.integers ? 0 : 2));
    }
  }
}

TEST_CASE("ranges of version 1 to start from lack those of a batch-norm by itself, which is said where observers are frozen") {
  const TemporaryFolder folder;
  continued_run(folder, "float_islands");
  Json experiment = Json::parse(folder.read("e.json"));
  experiment["start"] = version_1_folder + "float_islands.safetensors";
  experiment["stages"] = {{{"kind", "qat"}, {"epochs", 1}, {"optimizer", {{"learning_rate", 0.01}}}}};
  const auto train = [&](const char* alone) {
    experiment["recipe"] = {{"base", "int8"}, {"batch_norm", {{"alone", alone}}}, {"schedule", {{"freeze_observers_epoch", 0}}}};
    folder.write("start.json", experiment.dump());
    return run_stair({"train", "start.json", "--run", "started", "--quiet"}, folder.path());
  };
  const tests::Outcome outcome = train("integer");
  CHECK(outcome.code == 2);
  CHECK(outcome.err.find("start.json /recipe/schedule/freeze_observers_epoch: found 0, but the quantizer of 'x' has seen nothing when the "
                         "stage 'qat' begins") != std::string::npos);
  CHECK(train("float").code == 0);
}

TEST_CASE("files of an arithmetic that is newer, or none, are refused") {
  const TemporaryFolder folder;
  const std::string checkpoint = folder / "c.safetensors";
  const std::string artifact = folder / "a.stair";
  for (const std::string version : {"3", "0", "2.0", ""}) {
    CAPTURE(version);
    std::filesystem::copy_file(version_1_folder + "jacob2017.safetensors", checkpoint, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::copy_file(version_1_folder + "jacob2017.stair", artifact, std::filesystem::copy_options::overwrite_existing);
    change_metadata(checkpoint, checkpoint_format, "arithmetic", version);
    change_metadata(artifact, "staircase artifact", "arithmetic", version);
    const std::string expected = version == "3"
                                     ? ": is of arithmetic version 3, this program knows versions 1 to 2: it was written by a newer one"
                                     : ": 'arithmetic' in its metadata is '" + version + "', expected a version from 1 to 2";
    for (const std::string& file : {checkpoint, artifact}) {
      const tests::Outcome outcome = run_stair({"inspect", file}, folder.path());
      CHECK(outcome.code == 2);
      CHECK(outcome.err.find(file + expected) != std::string::npos);
    }
  }
}

TEST_CASE("artifacts of arithmetic version 1 keep their bits on every backend") {
  REQUIRE(version_1_names().size() == 16);
  for (const std::string& name : version_1_names()) {
    CAPTURE(name);
    runtime::Artifact artifact = runtime::load_artifact(version_1_folder + name + ".stair");
    const runtime::Tensor input = version_1_input(name, artifact);
    const runtime::Tensor expected = runtime::read_npy(version_1_folder + name + ".y.npy");
    for (const backends::Backend* backend : backends::every()) {
      CAPTURE(std::string(backend->name()));
      runtime::Executor executor =
          frontend::executor_for(ir::with_batch(artifact.graph, input.type().shape.front()), artifact.constants, {{backend}, 2, 0});
      const ir::TensorView inputs[] = {input.view()};
      executor.run(inputs);
      const ir::TensorView found = executor.output(executor.graph().outputs().front().name);
      REQUIRE(found.type == expected.type());
      if (found.type.dtype != ir::DType::f32) {
        CHECK(std::equal(found.as<std::uint8_t>(), found.as<std::uint8_t>() + found.count(), expected.as<std::uint8_t>()));
        continue;
      }
      for (std::int64_t i = 0; i < found.count(); ++i) {
        const float difference = std::abs(found.as<float>()[i] - expected.as<float>()[i]);
        CHECK(difference <= (stands_behind_floats(name) ? 1e-2F : 0.0F));
      }
    }
  }
}
