// Tasks beyond one class an example, each the whole way: float, QAT, export, verify.

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "ir/random.h"
#include "runtime/npy.h"
#include "runtime/tensor.h"
#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using ir::Json;
using tests::Outcome;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

double uniform(std::uint64_t stream, std::int64_t i) {
  return static_cast<double>(ir::random_bits(11, stream, 0, static_cast<std::uint64_t>(i)) % 1024) / 1024;
}

// Grey pictures 8x8 with a bright square; labels by pixel (in the square or not), by picture (left or right), and all as values.
void write_squares(const TemporaryFolder& folder, const std::string& part, std::int64_t count) {
  const runtime::Tensor pictures({ir::DType::u8, {count, 1, 8, 8}});
  const runtime::Tensor pixels({ir::DType::u8, {count, 8, 8}});
  const runtime::Tensor side({ir::DType::u8, {count}});
  const runtime::Tensor place({ir::DType::f32, {count, 2}});
  const runtime::Tensor tags({ir::DType::u8, {count, 3}});
  std::string table = "a,b,c,x,y\n";
  for (std::int64_t n = 0; n < count; ++n) {
    const auto top = static_cast<std::int64_t>(5 * uniform(1, n));
    const auto left = static_cast<std::int64_t>(6 * uniform(2, n));
    for (std::int64_t i = 0; i < 64; ++i) {
      const bool inside = i / 8 >= top && i / 8 < top + 3 && i % 8 >= left && i % 8 < left + 3;
      pictures.as<std::uint8_t>()[64 * n + i] = static_cast<std::uint8_t>(80 * uniform(3, 64 * n + i) + (inside ? 150 : 0));
      pixels.as<std::uint8_t>()[64 * n + i] = inside ? 1 : 0;
    }
    side.as<std::uint8_t>()[n] = left > 2 ? 1 : 0;
    place.as<float>()[2 * n] = static_cast<float>(top) / 4;
    place.as<float>()[2 * n + 1] = static_cast<float>(left) / 4;
    for (std::int64_t t = 0; t < 3; ++t) tags.as<std::uint8_t>()[3 * n + t] = left > t || top > 2 * t ? 1 : 0;
    const double a = uniform(4, n), b = uniform(5, n), c = uniform(6, n);
    table += std::to_string(a) + "," + std::to_string(b) + "," + std::to_string(c) + "," + std::to_string(a - b) + "," +
             std::to_string(2 * c) + "\n";
  }
  runtime::write_npy(pictures.view(), folder / (part + ".npy"));
  runtime::write_npy(pixels.view(), folder / (part + "_pixels.npy"));
  runtime::write_npy(side.view(), folder / (part + "_side.npy"));
  runtime::write_npy(place.view(), folder / (part + "_place.npy"));
  runtime::write_npy(tags.view(), folder / (part + "_tags.npy"));
  folder.write(part + ".csv", table);
}

struct Squares : TemporaryFolder {
  Squares() {
    write_squares(*this, "train", 64);
    write_squares(*this, "test", 25);
  }
};

Json of_arrays(const std::string& labels) {
  Json data{{"format", "npy"}};
  for (const std::string part : {"train", "test"}) data[part] = {{"images", part + ".npy"}, {"labels", part + "_" + labels + ".npy"}};
  return data;
}

Json experiment(const char* model, const Json& data, const char* loss) {
  Json json = Json::parse(R"({"name": "task", "batch": 8, "eval_batch": 10, "seed": 2, "stages": [
    {"kind": "float", "epochs": 3, "optimizer": {"kind": "adam", "learning_rate": 0.01}},
    {"kind": "qat", "epochs": 1, "optimizer": {"kind": "adam", "learning_rate": 0.002}}]})");
  json["model"] = Json::parse(model);
  json["data"] = data;
  json["loss"] = Json::parse(loss);
  return json;
}

Json evaluated(const TemporaryFolder& folder, std::vector<std::string> what) {
  what.insert(what.begin(), "eval");
  what.push_back("--json");
  const Outcome outcome = run_stair(what, folder.path());
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return Json::parse(outcome.out);
}

// Trains, and holds the artifact against the checkpoint; what `eval` says of both.
Json whole_way(const TemporaryFolder& folder, const Json& json) {
  const Outcome outcome = tests::train_quietly(folder, json);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  Json of_checkpoint = evaluated(folder, {"run"});
  Json of_artifact = evaluated(folder, {"run/qat.stair", "--data", "exp.json"});
  of_checkpoint.erase("arithmetic");
  of_artifact.erase("arithmetic");
  CHECK(of_checkpoint == of_artifact);
  const Outcome verified = run_stair({"verify", "run", "run/qat.stair", "--backend", "int8", "--threads", "2"}, folder.path());
  INFO(verified.out);
  CHECK(verified.code == 0);
  const Json result = Json::parse(folder.read("run/qat.json"));
  for (const auto& [key, value] : of_checkpoint.items()) {
    if (key.starts_with("test_")) CHECK(result[key] == value);
  }
  return of_checkpoint;
}

std::string refused(const TemporaryFolder& folder, const Json& json) {
  const Outcome outcome = tests::train_quietly(folder, json);
  CHECK(outcome.code == 2);
  return outcome.err;
}

constexpr const char* segmenting = R"({"input": {"shape": [1, 8, 8]}, "layers": [
  {"op": "conv2d", "name": "c1", "out_channels": 4, "kernel": 3, "padding": 1}, {"op": "relu", "name": "r1"},
  {"op": "max_pool", "kernel": 2}, {"op": "conv2d", "out_channels": 4, "kernel": 3, "padding": 1}, {"op": "relu"},
  {"op": "resize_nearest", "name": "up", "size": [8, 8]}, {"op": "concat", "inputs": ["up", "r1"]},
  {"op": "conv2d", "out_channels": 2, "kernel": 1}]})";
constexpr const char* encoding = R"({"input": {"shape": [1, 8, 8]}, "layers": [
  {"op": "flatten"}, {"op": "linear", "features": 12}, {"op": "relu"}, {"op": "linear", "features": 64},
  {"op": "reshape", "shape": [0, 1, 8, 8]}]})";
constexpr const char* tagging = R"({"input": {"shape": [1, 8, 8]}, "layers": [
  {"op": "flatten"}, {"op": "linear", "features": 16}, {"op": "relu"}, {"op": "linear", "features": 3}]})";
constexpr const char* of_columns = R"({"input": {"shape": [3]}, "layers": [
  {"op": "linear", "features": 8}, {"op": "relu"}, {"op": "linear", "features": 2}]})";

}  // namespace

TEST_CASE("classes by position: a small U-Net segments, with class weights, and the best epoch is told by iou") {
  const Squares folder;
  Json json = experiment(segmenting, of_arrays("pixels"), R"({"kind": "cross_entropy", "class_weights": [0.5, 2]})");
  json["metrics"] = {"iou", "confusion"};
  json["best_by"] = "iou";
  json["stages"][0]["epochs"] = 8;
  json["data"]["validation"] = 0.25;
  const Json result = whole_way(folder, json);
  CHECK(result["test_iou"] > 0.5);
  CHECK(result["test_accuracy"] > 0.8);
  CHECK(result["tables"]["iou"]["classes"].size() == 2);
  std::int64_t pixels = 0;
  for (const Json& row : result["tables"]["confusion"]["matrix"]) pixels += row[0].get<std::int64_t>() + row[1].get<std::int64_t>();
  CHECK(pixels == 25 * 64);
  CHECK(Json::parse(folder.read("run/float.json")).contains("best_validation_iou"));
}

TEST_CASE("an autoencoder is held against its input, and tells odd examples by its error") {
  const Squares folder;
  Json json = experiment(encoding, of_arrays("side"), R"({"kind": "mean_squared_error", "target": "input"})");
  json["metrics"] = Json::parse(R"([{"kind": "anomaly_auc", "normal": [0]}, "mae"])");
  json["data"]["train"]["only"] = {0};
  const Json result = whole_way(folder, json);
  CHECK(result["test_rmse"] < 0.3);
  CHECK(result["test_anomaly_auc"] >= 0);
  CHECK_FALSE(result.contains("test_accuracy"));
}

TEST_CASE("values by column: regression of a table, in shards and whole") {
  const Squares folder;
  Json data{{"format", "csv"}};
  for (const std::string part : {"train", "test"}) data[part] = {{"table", part + ".csv"}, {"values", {"x", "y"}}};
  Json json = experiment(of_columns, data, R"({"kind": "huber", "delta": 0.5})");
  json["metrics"] = {"mae"};
  json["stages"][0]["epochs"] = 20;
  const Json whole = whole_way(folder, json);
  CHECK(whole["test_rmse"] < 0.3);
  json["shards"] = 2;
  json["stages"].erase(1);
  REQUIRE(tests::train_quietly(folder, json).code == 0);
  CHECK(Json::parse(folder.read("run/float.json"))["test_mae"].get<double>() < 0.3);
}

TEST_CASE("several classes at once, and a loss of distances") {
  const Squares folder;
  for (const char* loss : {R"({"kind": "binary_cross_entropy"})", R"({"kind": "mean_absolute_error"})"}) {
    Json json = experiment(tagging, of_arrays("tags"), loss);
    json["stages"].erase(1);
    const Outcome outcome = tests::train_quietly(folder, json);
    INFO(outcome.err);
    CHECK(outcome.code == 0);
  }
}

TEST_CASE("what is no probability is nothing that binary cross-entropy may be held against") {
  const Squares folder;
  Json json = experiment(tagging, of_arrays("tags"), R"({"kind": "binary_cross_entropy"})");
  const runtime::Tensor tags({ir::DType::f32, {25, 3}});
  tags.as<float>()[7] = 1.5F;
  runtime::write_npy(tags.view(), folder / "more_tags.npy");
  json["data"]["test"]["labels"] = "more_tags.npy";
  CHECK(refused(folder, json)
            .find("/more_tags.npy: the value of image 2 at its element 1 is 1.5, expected at least 0 and at most 1 for the loss "
                  "'binary_cross_entropy'\n") != std::string::npos);
  json = experiment(encoding, of_arrays("side"), R"({"kind": "binary_cross_entropy", "target": "input"})");
  json["stages"].erase(1);
  CHECK(tests::train_quietly(folder, json).code == 0);
  json["data"]["mean"] = {0.25};
  CHECK(refused(folder, json)
            .find("/train.npy: with the mean and std of channel 0 its values reach -0.25, expected at least 0 and at most 1 for the loss "
                  "'binary_cross_entropy'\n") != std::string::npos);
}

TEST_CASE("a teacher's outputs train a smaller model, in shards and whole") {
  const Squares folder;
  Json teacher = experiment(segmenting, of_arrays("pixels"), R"({"kind": "cross_entropy"})");
  teacher["stages"].erase(1);
  REQUIRE(tests::train_quietly(folder, teacher).code == 0);
  folder.write("teacher.safetensors", folder.read("run/float.safetensors"));
  const char* const distilled = R"({"kind": "distillation", "teacher": "teacher.safetensors", "share": 1})";
  Json json = experiment(segmenting, of_arrays("pixels"), distilled);
  json["model"]["layers"][0]["out_channels"] = 2;
  const Json by_teacher = whole_way(folder, json);
  CHECK(by_teacher["test_accuracy"] > 0.8);
  const std::string weights = folder.read("teacher.safetensors");
  folder.write("teacher.safetensors", folder.read("run/qat.safetensors"));
  const Outcome resumed = run_stair({"train", "exp.json", "--run", "run", "--resume", "--quiet"}, folder.path());
  CHECK(resumed.code == 2);
  CHECK(resumed.err.find("the run began with other weights of the teacher ") != std::string::npos);
  folder.write("teacher.safetensors", weights);
  json["stages"].erase(1);
  json["shards"] = 2;
  CHECK(tests::train_quietly(folder, json).code == 0);
  json["data"]["mean"] = {0.5};
  CHECK(refused(folder, json).find("teacher.safetensors was trained with another mean or std") != std::string::npos);
  json["data"].erase("mean");
  json["model"]["layers"].back()["out_channels"] = 3;
  CHECK(refused(folder, json).find("teacher.safetensors computes f32[1,1,8,8] -> f32[1,2,8,8], the model f32[1,1,8,8] -> f32[1,3,8,8]") !=
        std::string::npos);
  json["loss"]["teacher"] = "absent.safetensors";
  CHECK(refused(folder, json).find("exp.json /loss/teacher: ") != std::string::npos);
  json["loss"].erase("teacher");
  CHECK(refused(folder, json).find("exp.json /loss: the key 'teacher' is missing") != std::string::npos);
}

TEST_CASE("what labels, losses and metrics can't do together is refused") {
  const Squares folder;
  Json json = experiment(tagging, of_arrays("place"), R"({"kind": "cross_entropy"})");
  CHECK(refused(folder, json).find("test_place.npy: its labels are f32[25,2], expected i32[25]\n") != std::string::npos);
  json["loss"] = {{"kind", "huber"}};
  CHECK(refused(folder, json).find("test_place.npy: its labels are f32[25,2], expected f32[25,3]\n") != std::string::npos);
  json["loss"] = {{"kind", "huber"}, {"target", "input"}};
  CHECK(
      refused(folder, json).find("exp.json /loss: the output 'linear_2' is f32[1,3], expected the type of the input 'x', f32[1,1,8,8]\n") !=
      std::string::npos);
  json["loss"] = {{"kind", "huber"}, {"target", "classes"}};
  CHECK(refused(folder, json) == "stair: exp.json /loss/target: found \"classes\", expected 'values' or 'input'\n");
  json["loss"] = {{"kind", "cross_entropy"}, {"class_weights", {1, 2}}};
  CHECK(
      refused(folder, json).find("exp.json /loss: cross_entropy 'loss': class_weights has 2 numbers, expected one for each of 3 classes") !=
      std::string::npos);
  json["loss"] = {{"kind", "huber"}};
  json["metrics"] = {"iou"};
  CHECK(refused(folder, json) == "stair: exp.json /metrics/0: 'iou' measures classes, found outputs f32[1,3] held against f32[1,3]\n");
  json["metrics"] = {"mae"};
  json["best_by"] = "may";
  CHECK(refused(folder, json) ==
        "stair: exp.json /best_by: found 'may' (did you mean 'mae'?), expected 'rmse' or 'mae': one of what is measured\n");
  json.erase("best_by");
  json["data"]["test"]["only"] = {1};
  CHECK(refused(folder, json).find("its labels are f32[25,2], expected a class for each example where 'only' says which are taken\n") !=
        std::string::npos);
  json = experiment(segmenting, of_arrays("pixels"), R"({"kind": "cross_entropy"})");
  json["model"]["layers"].back()["out_channels"] = 1;
  CHECK(refused(folder, json).find("test_pixels.npy: the label of image 0 at its element ") != std::string::npos);
}
