// Pictures become a model's input in `stair run` as they did in training, whatever kind they are.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "ir/random.h"
#include "runtime/artifact.h"
#include "runtime/checkpoint.h"
#include "runtime/npy.h"
#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"
#include "tests/support/picture_files.h"

using namespace stair;
using ir::Json;
using tests::Outcome;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

constexpr std::int64_t train_count = 64, test_count = 40, classes = 4;

// A bright stripe of noise for each class.
runtime::Tensor pictures(std::int64_t count, std::int64_t channels, std::int64_t size, std::uint64_t seed) {
  runtime::Tensor images({ir::DType::u8, {count, channels, size, size}});
  for (std::int64_t i = 0; i < images.count(); ++i) {
    const std::int64_t image = i / (channels * size * size);
    const std::uint64_t noise = ir::random_bits(seed, 1, 0, static_cast<std::uint64_t>(i)) % 156;
    images.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(noise + (i % size * classes / size == image % classes ? 99 : 0));
  }
  return images;
}

std::string labels_of(std::int64_t count) {
  std::string labels;
  for (std::int64_t i = 0; i < count; ++i) labels += static_cast<char>(i % classes);
  return labels;
}

runtime::Tensor labels_tensor(std::int64_t count) {
  runtime::Tensor labels({ir::DType::u8, {count}});
  const std::string bytes = labels_of(count);
  std::copy(bytes.begin(), bytes.end(), labels.as<char>());
  return labels;
}

// Floats far from [0, 1], so that a scaling too many or too few shows.
runtime::Tensor as_floats(const runtime::Tensor& bytes) {
  runtime::Tensor floats({ir::DType::f32, bytes.type().shape});
  for (std::int64_t i = 0; i < bytes.count(); ++i) floats.as<float>()[i] = static_cast<float>(bytes.as<std::uint8_t>()[i]) * 0.05F - 3;
  return floats;
}

std::string idx_header(std::vector<std::uint32_t> shape) {
  std::string header{'\0', '\0', '\x08', static_cast<char>(shape.size())};
  for (const std::uint32_t size : shape) {
    for (const int shift : {24, 16, 8, 0}) header += static_cast<char>(size >> shift & 0xff);
  }
  return header;
}

std::string bytes_of(const runtime::Tensor& tensor) {
  return {tensor.as<char>(), tensor.bytes()};
}

// PART/CLASS/NUMBER.png, 16 x 18 pixels; the classes' names have the order of their numbers.
void write_folder(const TemporaryFolder& folder, const std::string& part, std::int64_t count, std::uint64_t seed) {
  const std::string all = bytes_of(pictures(count, 1, 18, seed));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string first_rows = all.substr(static_cast<std::size_t>(i) * 18 * 18, 16 * 18);
    const std::string path = fmt::format("{}/c{}", part, i % classes);
    std::filesystem::create_directories(folder / path);
    folder.write(fmt::format("{}/{}.png", path, 100 + i), tests::png_file(16, 18, 1, {first_rows.begin(), first_rows.end()}));
  }
}

struct Kind {
  std::string format;
  bool floats;
  Json mean, std;
};

// Writes train.* and test.* of the format, and input.npy: the test pictures for `stair run`.
Json write_data(const TemporaryFolder& folder, const Kind& kind) {
  Json data{{"format", kind.format}};
  if (!kind.mean.is_null()) data["mean"] = kind.mean;
  if (!kind.std.is_null()) data["std"] = kind.std;
  const bool cifar = kind.format == "cifar10";
  for (const auto& [name, count] : {std::pair{std::string("train"), train_count}, std::pair{std::string("test"), test_count}}) {
    const runtime::Tensor images = pictures(count, cifar ? 3 : 1, cifar ? 32 : 12, name == "test" ? 1 : 2);
    const runtime::Tensor written = kind.floats ? as_floats(images) : images.clone();
    if (name == "test") runtime::write_npy(written.view(), folder / "input.npy");
    if (cifar) {
      std::string records;
      for (std::int64_t i = 0; i < count; ++i) {
        records += static_cast<char>(i % classes) + bytes_of(images).substr(static_cast<std::size_t>(i) * 3072, 3072);
      }
      folder.write(name + ".bin", records);
      data[name] = {{"batches", name + ".bin"}};
    } else if (kind.format == "idx") {
      folder.write(name + ".images", idx_header({static_cast<std::uint32_t>(count), 12, 12}) + bytes_of(images));
      folder.write(name + ".labels", idx_header({static_cast<std::uint32_t>(count)}) + labels_of(count));
      data[name] = {{"images", name + ".images"}, {"labels", name + ".labels"}};
    } else {
      runtime::write_npy(written.view(), folder / (name + ".npy"));
      runtime::write_npy(labels_tensor(count).view(), folder / (name + "_labels.npy"));
      data[name] = {{"images", name + ".npy"}, {"labels", name + "_labels.npy"}};
    }
  }
  return data;
}

void train(const TemporaryFolder& folder, const Kind& kind) {
  Json experiment = tests::small_experiment();
  experiment["data"] = write_data(folder, kind);
  if (kind.format == "cifar10") experiment["model"]["input"]["shape"] = {3, 32, 32};
  experiment["stages"] = Json::parse(R"([{"kind": "qat", "epochs": 2, "optimizer": {"learning_rate": 0.01, "momentum": 0.9}}])");
  experiment["checkpoint_every"] = 0;
  folder.write("exp.json", experiment.dump());
  const Outcome outcome = run_stair({"train", "exp.json", "--run", "run", "--threads", "1", "--quiet"}, folder.path());
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
}

// Share of the pictures of input.npy to which `stair run` gives their class.
double accuracy_of_run(const TemporaryFolder& folder, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"run", "run/qat.stair", "--input", "input.npy", "--output", "out.npy"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Outcome outcome = run_stair(arguments, folder.path());
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const runtime::Tensor logits = runtime::read_npy(folder / "out.npy");
  REQUIRE(logits.type() == ir::Type{ir::DType::f32, {test_count, classes}});
  std::int64_t correct = 0;
  for (std::int64_t i = 0; i < test_count; ++i) {
    const float* row = logits.as<float>() + i * classes;
    correct += std::max_element(row, row + classes) - row == i % classes ? 1 : 0;
  }
  return static_cast<double>(correct) / test_count;
}

double accuracy_of_eval(const TemporaryFolder& folder, const std::vector<std::string>& target) {
  std::vector<std::string> arguments{"eval"};
  arguments.insert(arguments.end(), target.begin(), target.end());
  arguments.emplace_back("--json");
  const Outcome outcome = run_stair(arguments, folder.path());
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return Json::parse(outcome.out)["test_accuracy"];
}

std::string refused(const TemporaryFolder& folder, const std::vector<std::string>& arguments) {
  const Outcome outcome = run_stair(arguments, folder.path());
  CHECK(outcome.code == 2);
  CHECK(outcome.out == "");
  return outcome.err;
}

}  // namespace

TEST_CASE("run, eval of the artifact and eval of the checkpoint classify the same pictures alike, of every kind") {
  const Json none;
  const std::vector<Kind> kinds{{"idx", false, {0.4}, {0.3}},
                                {"idx", false, none, none},
                                {"npy", false, {0.4}, {0.3}},
                                {"npy", true, {1.5}, {4}},
                                {"npy", true, none, {8}},
                                {"npy", true, none, none},
                                {"cifar10", false, {0.4, 0.5, 0.6}, {0.3, 0.2, 0.25}}};
  for (const Kind& kind : kinds) {
    CAPTURE(kind.format);
    CAPTURE(kind.floats);
    CAPTURE(kind.mean.dump());
    const TemporaryFolder folder;
    train(folder, kind);
    const double accuracy = accuracy_of_eval(folder, {"run/qat.stair", "--data", "exp.json"});
    CHECK(accuracy > 0.5);
    CHECK(accuracy_of_run(folder) == accuracy);
    CHECK(accuracy_of_eval(folder, {"run"}) == accuracy);
    CHECK(accuracy_of_eval(folder, {"run", "--data", "exp.json"}) == accuracy);
    REQUIRE(run_stair({"export", "run", "-o", "again.stair"}, folder.path()).code == 0);
    CHECK(folder.read("again.stair") == folder.read("run/qat.stair"));
    CHECK(runtime::load_artifact(folder / "run/qat.stair").inputs.front().images.element == (kind.floats ? "f32" : "u8"));
    CHECK(run_stair({"verify", "run", "run/qat.stair", "--images", "5"}, folder.path()).code == 0);
  }
}

TEST_CASE("pictures of a folder are scaled and cut by run as in training, and by nobody otherwise") {
  const TemporaryFolder folder;
  write_folder(folder, "train", train_count, 2);
  write_folder(folder, "test", test_count, 1);
  Json experiment = tests::small_experiment();
  experiment["data"] = {{"format", "folder"}, {"mean", {0.4}}, {"std", {0.3}}};
  experiment["data"]["train"] = {{"folder", "train"}, {"shorter_side", 14}, {"in_memory", false}};
  experiment["data"]["test"] = {{"folder", "test"}, {"shorter_side", 14}};
  experiment["augmentation"] = {{"random_crop", true}, {"brightness", 0.1}, {"contrast", 0.1}, {"rotation", 5}};
  experiment["stages"] = Json::parse(R"([{"kind": "qat", "epochs": 2, "optimizer": {"learning_rate": 0.01, "momentum": 0.9}}])");
  experiment["checkpoint_every"] = 0;
  folder.write("exp.json", experiment.dump());
  const Outcome outcome = run_stair({"train", "exp.json", "--run", "run", "--threads", "1", "--quiet"}, folder.path());
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(runtime::load_checkpoint(folder / "run/qat.safetensors").inputs.front().shorter_side == 14);
  const runtime::InputForm form = runtime::load_artifact(folder / "run/qat.stair").inputs.front();
  CHECK(form.images.shorter_side == 14);
  CHECK(form.images.element == "u8");

  // In the order of the data set, so that the class of each counts as `eval` counts it.
  std::vector<std::string> run{"run", "run/qat.stair", "--output", "out.npy"};
  for (std::int64_t c = 0; c < classes; ++c) {
    for (std::int64_t i = c; i < test_count; i += classes) {
      run.emplace_back("--input");
      run.push_back(fmt::format("test/c{}/{}.png", c, 100 + i));
    }
  }
  REQUIRE(run_stair(run, folder.path()).code == 0);
  const runtime::Tensor logits = runtime::read_npy(folder / "out.npy");
  REQUIRE(logits.type() == ir::Type{ir::DType::f32, {test_count, classes}});
  std::int64_t correct = 0;
  for (std::int64_t i = 0; i < test_count; ++i) {
    const float* row = logits.as<float>() + i * classes;
    correct += std::max_element(row, row + classes) - row == i / (test_count / classes) ? 1 : 0;
  }
  const double accuracy = static_cast<double>(correct) / test_count;
  CHECK(accuracy_of_eval(folder, {"run/qat.stair", "--data", "exp.json"}) == accuracy);
  CHECK(accuracy_of_eval(folder, {"run"}) == accuracy);

  // Scaled otherwise they would be other pictures.
  experiment["data"]["test"]["shorter_side"] = 16;
  folder.write("other.json", experiment.dump());
  const std::string reason = ": its pictures are scaled to a shorter side of 16, those that the model is trained on to 14\n";
  for (const std::vector<std::string>& command : {std::vector<std::string>{"eval", "run", "--data", "other.json"},
                                                  {"eval", "run/qat.stair", "--data", "other.json"},
                                                  {"train", "other.json", "--run", "other"}})
    CHECK(refused(folder, command) == "stair: " + folder.path() + "/test" + reason);
  CHECK(refused(folder, {"run", "run/qat.stair", "--input", "test/c0/100.png", "--input", "out.npy"}) ==
        "stair: --input out.npy: 'x' has a file already\n");
  CHECK(refused(folder, {"run", "run/qat.stair", "--input", "test/c0/100.png", "--raw"})
            .starts_with("stair: --raw: test/c0/100.png holds u8["));
}

TEST_CASE("pictures of another kind than in training are refused, with the way out") {
  const TemporaryFolder folder;
  train(folder, {"npy", false, {0.4}, {0.3}});
  const double accuracy = accuracy_of_run(folder);
  const runtime::Tensor bytes = runtime::read_npy(folder / "input.npy");

  // A picture's file, of the input's size: none was scaled in training.
  const std::string first = bytes_of(bytes).substr(0, 144);
  folder.write("first.png", tests::png_file(12, 12, 1, {first.begin(), first.end()}));
  folder.write("other.png", tests::png_file(9, 16, 1, {first.begin(), first.end()}));
  CHECK(run_stair({"run", "run/qat.stair", "--input", "input.npy"}, folder.path())
            .out.starts_with(run_stair({"run", "run/qat.stair", "--input", "first.png"}, folder.path()).out));
  CHECK(refused(folder, {"run", "run/qat.stair", "--input", "other.png"}) ==
        "stair: other.png: has 16 x 9 pixels, expected 12 x 12: run/qat.stair doesn't say that pictures were scaled in training\n");

  // Floats for a model of bytes: --raw takes the graph's input.
  runtime::Tensor normalized({ir::DType::f32, bytes.type().shape});
  for (std::int64_t i = 0; i < bytes.count(); ++i) {
    normalized.as<float>()[i] = (static_cast<float>(bytes.as<std::uint8_t>()[i]) / 255.0F - 0.4F) / 0.3F;
  }
  runtime::write_npy(normalized.view(), folder / "input.npy");
  const std::vector<std::string> run{"run", "run/qat.stair", "--input", "input.npy"};
  CHECK(
      refused(folder, run) ==
      "stair: input.npy: holds f32, the model was trained on u8 pictures: u8 is divided by 255, f32 isn't; --raw takes f32 as the model's "
      "input\n");
  CHECK(accuracy_of_run(folder, {"--raw"}) == accuracy);
  runtime::write_npy(bytes.view(), folder / "input.npy");
  CHECK(refused(folder, {"run", "run/qat.stair", "--input", "input.npy", "--raw"}).starts_with("stair: --raw: input.npy holds u8["));

  // Data of another kind for eval, and of two kinds for training.
  runtime::write_npy(normalized.view(), folder / "floats.npy");
  Json experiment = Json::parse(folder.read("exp.json"));
  experiment["data"]["test"]["images"] = "floats.npy";
  folder.write("floats.json", experiment.dump());
  for (const char* target : {"run/qat.stair", "run"}) {
    CHECK(refused(folder, {"eval", target, "--data", "floats.json"}).find("floats.npy: its images are f32, the model is trained on u8") !=
          std::string::npos);
  }
  CHECK(refused(folder, {"train", "floats.json", "--run", "other"}).find("floats.npy: its images are f32, the model is trained on u8") !=
        std::string::npos);

  // Another normalization.
  experiment = Json::parse(folder.read("exp.json"));
  experiment["data"]["std"] = {0.31};
  folder.write("other.json", experiment.dump());
  for (const char* target : {"run/qat.stair", "run"}) {
    CHECK(refused(folder, {"eval", target, "--data", "other.json"}) ==
          "stair: other.json /data: normalizes with mean [0.4] and std [0.31], the model was trained with mean [0.4] and std [0.3]\n");
  }
  experiment["data"].erase("mean");
  experiment["data"].erase("std");
  folder.write("other.json", experiment.dump());
  for (const char* target : {"run/qat.stair", "run"}) CHECK(accuracy_of_eval(folder, {target, "--data", "other.json"}) == accuracy);

  // An artifact that makes another input of a picture isn't that of the checkpoint.
  runtime::Artifact artifact = runtime::load_artifact(folder / "run/qat.stair");
  artifact.inputs.front().normalization.std = {0.31};
  runtime::save_artifact(artifact, folder / "changed.stair");
  CHECK(refused(folder, {"verify", "run", "changed.stair"}).find("make other inputs of the same picture") != std::string::npos);
}

TEST_CASE("an artifact that doesn't say what it was trained on takes bytes, and floats where they are the input either way") {
  const TemporaryFolder folder;
  train(folder, {"npy", true, {1.5}, {4}});
  runtime::Artifact artifact = runtime::load_artifact(folder / "run/qat.stair");
  artifact.inputs.front().images.element = "";
  runtime::save_artifact(artifact, folder / "old.stair");
  const std::string error = refused(folder, {"run", "old.stair", "--input", "input.npy"});
  CHECK(error ==
        "stair: input.npy: holds f32, and old.stair doesn't say whether its mean and std are of such pictures, expected u8; --raw takes "
        "f32 as "
        "the model's input\n");
  artifact.inputs.front().normalization = {};
  runtime::save_artifact(artifact, folder / "old.stair");
  CHECK(run_stair({"run", "old.stair", "--input", "input.npy"}, folder.path()).code == 0);
}
