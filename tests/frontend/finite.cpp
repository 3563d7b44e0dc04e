// N-FINITE through the driver: what isn't finite ends the command with file and place, and nothing is written of it.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>

#include "ir/random.h"
#include "runtime/artifact.h"
#include "runtime/checkpoint.h"
#include "runtime/npy.h"
#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using ir::Json;
using tests::Outcome;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();
constexpr float no_number = std::numeric_limits<float>::quiet_NaN();

// Vectors whose sign of the first element is their class. `spoilt` takes the place of one element.
void write_vectors(const TemporaryFolder& folder, const std::string& name, std::int64_t count, std::int64_t at = -1, float spoilt = 0) {
  runtime::Tensor images({ir::DType::f32, {count, 6}});
  runtime::Tensor labels({ir::DType::u8, {count}});
  for (std::int64_t i = 0; i < images.count(); ++i) {
    images.as<float>()[i] = 2 * ir::random_uniform(1, 2, static_cast<std::uint64_t>(count), static_cast<std::uint64_t>(i)) - 1;
  }
  for (std::int64_t i = 0; i < count; ++i) labels.as<std::uint8_t>()[i] = images.as<float>()[6 * i] > 0 ? 1 : 0;
  if (at >= 0) images.as<float>()[at] = spoilt;
  runtime::write_npy(images.view(), folder / (name + ".npy"));
  runtime::write_npy(labels.view(), folder / (name + "_labels.npy"));
}

Json vectors_experiment() {
  return Json::parse(R"({
    "model": {"input": {"shape": [6]}, "layers": [
      {"op": "linear", "name": "a", "features": 8}, {"op": "relu", "name": "relu"}, {"op": "linear", "name": "b", "features": 2}]},
    "data": {"format": "npy", "train": {"images": "train.npy", "labels": "train_labels.npy"},
             "test": {"images": "test.npy", "labels": "test_labels.npy"}},
    "batch": 8,
    "stages": [{"kind": "float", "epochs": 1, "optimizer": {"learning_rate": 0.1}}, {"kind": "calibrate", "batches": 2}]})");
}

// A run of that, and beside it files with a number that is none.
const TemporaryFolder& spoilt_files() {
  static const TemporaryFolder folder;
  static const bool made = [] {
    write_vectors(folder, "train", 32);
    write_vectors(folder, "test", 16);
    write_vectors(folder, "nan", 32, 15 * 6 + 3, no_number);
    write_vectors(folder, "inf", 16, 0, -infinite);
    folder.write("exp.json", vectors_experiment().dump());
    REQUIRE(run_stair({"train", "exp.json", "--run", "run", "--quiet"}, folder.path()).code == 0);
    const auto checkpoint = [&](const char* name, const std::function<void(runtime::Tensors&)>& change) {
      runtime::Checkpoint changed = runtime::load_checkpoint(folder / "run/calibrate.safetensors");
      change(changed.states);
      runtime::save_checkpoint(changed, folder / name);
    };
    checkpoint("nan.safetensors", [](runtime::Tensors& s) { s.find("a.weight")->second.as<float>()[7] = no_number; });
    checkpoint("large.safetensors", [](runtime::Tensors& s) {
      std::fill_n(s.find("a.weight")->second.as<float>(), 48, 3e38F);
      std::fill_n(s.find("a.bias")->second.as<float>(), 8, 3e38F);
    });
    checkpoint("range.safetensors", [](runtime::Tensors& s) { s.find("x.min")->second.as<float>()[0] = -infinite; });
    runtime::Artifact artifact = runtime::load_artifact(folder / "run/calibrate.stair");
    for (auto& [name, tensor] : artifact.constants) {
      if (tensor.type().dtype == ir::DType::f32) tensor.as<float>()[0] = no_number;
    }
    runtime::save_artifact(artifact, folder / "nan.stair");
    return true;
  }();
  static_cast<void>(made);
  return folder;
}

std::vector<std::string> training_with(const std::string& assignment) {
  return {"train", "exp.json", "--run", "new", "--quiet", "--set", assignment};
}

}  // namespace

TEST_CASE("numbers that aren't finite are told with file and place, and nothing is written") {
  struct Spoilt {
    std::vector<std::string> arguments;
    std::string says;
  };
  const Spoilt table[] = {
      {training_with("data.train.images=nan.npy"), "/nan.npy: image 15, element 3 is nan, expected finite numbers\n"},
      {training_with("data.test.images=inf.npy"), "/inf.npy: image 0, element 0 is -inf, expected finite numbers\n"},
      {{"run", "run/calibrate.stair", "--input", "nan.npy"}, "stair: nan.npy: image 15, element 3 is nan, expected finite numbers\n"},
      {{"run", "run/calibrate.stair", "--input", "nan.npy", "--raw"},
       "stair: nan.npy: image 15, element 3 is nan, expected finite numbers\n"},
      {training_with("start=nan.safetensors"), "/nan.safetensors: tensor 'a.weight': element 7 is nan, expected finite numbers\n"},
      {{"eval", "nan.safetensors"}, "nan.safetensors: tensor 'a.weight': element 7 is nan, expected finite numbers\n"},
      {{"calibrate", "nan.safetensors", "-o", "c"}, "nan.safetensors: tensor 'a.weight': element 7 is nan, expected finite numbers\n"},
      {{"export", "nan.safetensors", "-o", "c"}, "nan.safetensors: tensor 'a.weight': element 7 is nan, expected finite numbers\n"},
      {{"export", "range.safetensors", "-o", "c"}, "tensor 'x.min': element 0 is -inf, expected finite numbers\n"},
      {{"verify", "range.safetensors", "run/calibrate.stair"}, "tensor 'x.min': element 0 is -inf, expected finite numbers\n"},
      {{"calibrate", "large.safetensors", "-o", "c", "--batches", "2"},
       "stair: calibration, batch 0: 'relu.observer.max' (observe_average 'relu.observer') isn't finite: element 0 is inf\n"},
      {{"run", "nan.stair", "--input", "test.npy"}, "stair: nan.stair: tensor '"},
      {{"inspect", "nan.stair"}, "stair: nan.stair: tensor '"},
      {{"bench", "nan.stair"}, "stair: nan.stair: tensor '"},
      {training_with("data.mean=[1e39]"), "stair: exp.json /data/mean/0: found 1e+39, expected a number that binary32 holds\n"},
      {training_with("data.std=[1e-50]"), "stair: exp.json /data/std/0: found 1e-50, expected a finite number above 0 in binary32\n"},
      {training_with("data.std=[0]"), "stair: exp.json /data/std/0: found 0, expected more than 0\n"},
      {training_with("data.std=[1e-39]"), ": with mean 0 and std 1e-39 the value "},
      {training_with("stages.0.optimizer.learning_rate=1e39"),
       "stair: exp.json /stages/0/optimizer/learning_rate: found 1e+39, expected a number that binary32 holds\n"},
      {training_with("recipe={\"weights\":{\"clip\":1e300}}"),
       "/recipe/weights/clip: found 1e+300, expected a number that binary32 holds\n"},
  };
  const TemporaryFolder& folder = spoilt_files();
  const auto before = folder.files();
  for (const Spoilt& spoilt : table) {
    const Outcome outcome = run_stair(spoilt.arguments, folder.path());
    CAPTURE(spoilt.says);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(outcome.err.find(spoilt.says) != std::string::npos);
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(folder.files() == before);
    CHECK(!std::filesystem::exists(folder / "new/new.stair"));
  }
}

TEST_CASE("training that spoils a state ends with step and state; what was good before stays, and nothing else is there") {
  const TemporaryFolder& files = spoilt_files();
  const TemporaryFolder folder;
  for (const char* name : {"train.npy", "train_labels.npy", "test.npy", "test_labels.npy"}) folder.write(name, files.read(name));
  Json experiment = vectors_experiment();
  // In the first step, whose loss is that of good weights.
  experiment["stages"].push_back(Json::parse(R"({"kind": "qat", "epochs": 2, "optimizer": {"learning_rate": 3e38, "weight_decay": 1e4}})"));
  experiment["checkpoint_every"] = 1;
  folder.write("exp.json", experiment.dump());
  const Outcome outcome = run_stair({"train", "exp.json", "--run", "run", "--quiet"}, folder.path());
  CAPTURE(outcome.err);
  CHECK(outcome.code == 2);
  CHECK(outcome.err.starts_with("stair: step 0 (epoch 1): '"));
  CHECK(outcome.err.find("isn't finite: element ") != std::string::npos);
  CHECK(std::filesystem::exists(folder / "run/calibrate.stair"));
  for (const char* name : {"run/qat.stair", "run/qat.safetensors", "run/qat.best.safetensors", "run/summary.json"}) {
    CHECK(!std::filesystem::exists(folder / name));
  }
  CHECK(runtime::load_checkpoint(folder / "run/last.safetensors").states.contains("a.weight"));  // and all of it is finite
}
