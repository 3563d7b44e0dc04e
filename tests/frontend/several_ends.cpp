// Models with several inputs and outputs, trained the whole way: float, calibration, QAT, export, eval, verify, run.

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "ir/random.h"
#include "runtime/artifact.h"
#include "runtime/checkpoint.h"
#include "runtime/npy.h"
#include "tests/frontend/small_experiment.h"
#include "tests/support/zip_file.h"

using namespace stair;
using ir::Json;
using tests::Outcome;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

std::int64_t draw(std::uint64_t stream, std::int64_t i, std::uint64_t below) {
  return static_cast<std::int64_t>(ir::random_bits(5, stream, 0, static_cast<std::uint64_t>(i)) % below);
}

// Two pictures 8x8 with a bright bar each at one of two places, and three numbers up to a thousand. `same` says whether the bars are at one
// place, `far` how far the first number is above the second, in thousands.
void write_pairs(const TemporaryFolder& folder, const std::string& part, std::int64_t count) {
  const runtime::Tensor pictures[] = {runtime::Tensor({ir::DType::u8, {count, 1, 8, 8}}),
                                      runtime::Tensor({ir::DType::u8, {count, 1, 8, 8}})};
  const runtime::Tensor sensor({ir::DType::f32, {count, 3}});
  const runtime::Tensor same({ir::DType::u8, {count}});
  const runtime::Tensor far({ir::DType::f32, {count, 1}});
  const std::uint64_t first = part == "train" ? 0 : 10;
  std::string table = "s0,s1,s2,left,right,same,far\n";
  for (std::int64_t n = 0; n < count; ++n) {
    const std::int64_t places[] = {draw(first, n, 2), draw(first + 1, n, 2)};
    for (std::size_t k = 0; k < 2; ++k) {
      for (std::int64_t i = 0; i < 64; ++i)
        pictures[k].as<std::uint8_t>()[64 * n + i] =
            static_cast<std::uint8_t>(draw(first + 2 + k, 64 * n + i, 60) + (i / 32 == places[k] ? 150 : 0));
    }
    float* const s = sensor.as<float>() + 3 * n;
    for (std::int64_t i = 0; i < 3; ++i) s[i] = static_cast<float>(draw(first + 4, 3 * n + i, 2000)) - 1000;
    same.as<std::uint8_t>()[n] = places[0] == places[1] ? 1 : 0;
    far.as<float>()[n] = (s[0] - s[1]) / 1000;
    for (std::int64_t i = 0; i < 3; ++i) table += std::to_string(s[i]) + ",";
    table += std::to_string(places[0]) + "," + std::to_string(places[1]) + "," + std::to_string(same.as<std::uint8_t>()[n]) + "," +
             std::to_string(far.as<float>()[n]) + "\n";
  }
  runtime::write_npy(pictures[0].view(), folder / (part + "_left.npy"));
  runtime::write_npy(pictures[1].view(), folder / (part + "_right.npy"));
  runtime::write_npy(sensor.view(), folder / (part + "_sensor.npy"));
  runtime::write_npy(same.view(), folder / (part + "_same.npy"));
  runtime::write_npy(far.view(), folder / (part + "_far.npy"));
  std::vector<std::pair<std::string, std::string>> arrays;
  for (const std::string name : {"left", "right", "sensor", "same", "far"})
    arrays.emplace_back(name + ".npy", folder.read(part + "_" + name + ".npy"));
  folder.write(part + ".npz", tests::zip_file(arrays, true));
  folder.write(part + ".csv", table);
}

struct Pairs : TemporaryFolder {
  Pairs() {
    write_pairs(*this, "train", 96);
    write_pairs(*this, "test", 25);
  }
};

// Two pictures through one tower, and a branch for the numbers.
constexpr const char* pair_model = R"({
  "inputs": [{"name": "left", "shape": [1, 8, 8]}, {"name": "right", "shape": [1, 8, 8]}, {"name": "sensor", "shape": [3]}],
  "blocks": {"tower": {"layers": [{"op": "conv2d", "name": "conv", "out_channels": 4, "kernel": 3, "stride": 2}, {"op": "batch_norm"},
                                  {"op": "relu"}, {"op": "flatten"}, {"op": "linear", "name": "f", "features": 6}]}},
  "layers": [
    {"block": "tower", "name": "a", "inputs": ["left"]},
    {"block": "tower", "name": "b", "inputs": ["right"], "weights_of": "a"},
    {"op": "sub", "name": "difference", "inputs": ["a", "b"]},
    {"op": "linear", "name": "s", "inputs": ["sensor"], "features": 4},
    {"op": "concat", "name": "all", "inputs": ["difference", "s"], "axis": 1},
    {"op": "linear", "features": 16}, {"op": "relu", "name": "hidden"},
    {"op": "linear", "name": "same", "features": 2}]})";

Json npy_part(const std::string& part) {
  return {{"images", {{"left", part + "_left.npy"}, {"right", part + "_right.npy"}, {"sensor", part + "_sensor.npy"}}},
          {"labels", part + "_same.npy"}};
}

Json pair_experiment() {
  Json json = Json::parse(R"({"name": "pairs", "batch": 16, "eval_batch": 10, "seed": 2,
    "augmentation": {"crop_padding": 1},
    "data": {"format": "npy", "mean": {"left": [0.3], "right": [0.3]}, "std": {"sensor": [600], "left": [0.3], "right": [0.3]}},
    "stages": [{"kind": "float", "epochs": 12, "optimizer": {"kind": "adam", "learning_rate": 0.01}},
               {"kind": "calibrate", "name": "ptq", "batches": 4},
               {"kind": "qat", "epochs": 1, "optimizer": {"kind": "adam", "learning_rate": 0.002}}]})");
  json["model"] = Json::parse(pair_model);
  for (const char* part : {"train", "test"}) json["data"][part] = npy_part(part);
  return json;
}

// The same with a second output that the numbers alone tell, and a third without a loss.
Json two_outputs() {
  Json json = pair_experiment();
  json["model"]["layers"].push_back({{"op", "linear"}, {"name", "far"}, {"inputs", {"hidden"}}, {"features", 1}});
  json["model"]["outputs"] = {"same", {{"name", "distance"}, {"layer", "far"}}, {{"name", "embedding"}, {"layer", "a"}}};
  json["losses"] = Json::parse(R"([{"output": "same", "kind": "cross_entropy"}, {"output": "distance", "kind": "huber", "weight": 2}])");
  for (const std::string part : {"train", "test"})
    json["data"][part]["labels"] = {{"distance", part + "_far.npy"}, {"same", part + "_same.npy"}};
  json["metrics"] = Json::parse(R"([{"kind": "mae", "output": "distance"}, "confusion"])");
  return json;
}

std::string refused(const TemporaryFolder& folder, const Json& json) {
  const Outcome outcome = tests::train_quietly(folder, json, "refused");
  CHECK(outcome.code == 2);
  return outcome.err;
}

Json evaluated(const TemporaryFolder& folder, std::vector<std::string> what) {
  what.insert(what.begin(), "eval");
  what.push_back("--json");
  const Outcome outcome = run_stair(what, folder.path());
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  Json json = Json::parse(outcome.out);
  json.erase("arithmetic");
  return json;
}

// Trains, and holds the artifact against the checkpoint; what `eval` says of both.
Json whole_way(const TemporaryFolder& folder, const Json& json) {
  const Outcome outcome = tests::train_quietly(folder, json);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  Json of_checkpoint = evaluated(folder, {"run"});
  CHECK(of_checkpoint == evaluated(folder, {"run/qat.stair", "--data", "exp.json"}));
  const Outcome verified = run_stair({"verify", "run", "run/qat.stair", "--threads", "2"}, folder.path());
  INFO(verified.out);
  CHECK(verified.code == 0);
  return of_checkpoint;
}

}  // namespace

TEST_CASE("two pictures and numbers of another range: trained, calibrated, exported, and the same everywhere") {
  const Pairs folder;
  const Json json = pair_experiment();
  CHECK(whole_way(folder, json)["test_accuracy"] > 0.9);

  const runtime::Checkpoint checkpoint = runtime::load_checkpoint(folder / "run/last.safetensors");
  REQUIRE(checkpoint.inputs.size() == 3);
  CHECK(checkpoint.inputs[1].element == "u8");
  CHECK(checkpoint.inputs[2].element == "f32");
  CHECK(checkpoint.data.size() == 8 * 9 - 1);
  const runtime::Artifact artifact = runtime::load_artifact(folder / "run/qat.stair");
  REQUIRE(artifact.inputs.size() == 3);
  CHECK(artifact.inputs[0].normalization.std == std::vector<double>{0.3});
  CHECK(artifact.inputs[2].normalization.mean.empty());
  CHECK(artifact.inputs[2].normalization.std == std::vector<double>{600});
  CHECK(artifact.inputs[2].images.element == "f32");

  // What `run` makes of the files is what `eval` measures.
  const Outcome ran = run_stair({"run", "run/qat.stair", "--input", "left=test_left.npy", "--input", "right=test_right.npy", "--input",
                                 "sensor=test_sensor.npy", "--output", "y.npy"},
                                folder.path());
  REQUIRE(ran.code == 0);
  const runtime::Tensor y = runtime::read_npy(folder / "y.npy");
  const runtime::Tensor same = runtime::read_npy(folder / "test_same.npy");
  double right = 0;
  for (std::int64_t n = 0; n < 25; ++n)
    right += (y.as<float>()[2 * n + 1] > y.as<float>()[2 * n] ? 1 : 0) == same.as<std::uint8_t>()[n] ? 1 : 0;
  CHECK(evaluated(folder, {"run/qat.stair", "--data", "exp.json"})["test_accuracy"].get<double>() == right / 25);

  // The same from a checkpoint, afterwards.
  REQUIRE(run_stair({"calibrate", "run/float.safetensors", "-o", "c.safetensors", "--batches", "4"}, folder.path()).code == 0);
  REQUIRE(run_stair({"export", "c.safetensors", "-o", "c.stair"}, folder.path()).code == 0);
  CHECK(folder.read("c.stair") == folder.read("run/ptq.stair"));

  // A run goes on, unless the numbers are others.
  Json longer = json;
  longer["stages"][2]["epochs"] = 2;
  folder.write("exp.json", longer.dump());
  const std::vector<std::string> resume{"train", "exp.json", "--run", "run", "--resume", "--quiet"};
  CHECK(run_stair(resume, folder.path()).code == 0);
  folder.write("kept.npy", folder.read("train_sensor.npy"));
  folder.write("train_sensor.npy", folder.read("train_sensor.npy").replace(200, 1, "x"));
  CHECK(run_stair(resume, folder.path()).err.find("the run began with other training images of 'sensor' (checksum ") != std::string::npos);
}

TEST_CASE("inputs by the arrays of a file and by the columns of a table; shards; a part for validation") {
  const Pairs folder;
  Json json = pair_experiment();
  json["stages"].erase(1);
  json["stages"][0]["epochs"] = 2;
  REQUIRE(tests::train_quietly(folder, json).code == 0);
  const std::string expected = folder.read("run/float.json");
  Json arrays = json;
  arrays["data"]["format"] = "npz";
  for (const std::string part : {"train", "test"})
    arrays["data"][part] = {
        {"arrays", part + ".npz"}, {"images", {{"right", "right"}, {"left", "left"}, {"sensor", "sensor"}}}, {"labels", "same"}};
  REQUIRE(tests::train_quietly(folder, arrays).code == 0);
  const auto without_times = [](const std::string& text) {
    Json read = Json::parse(text);
    for (const char* key : {"images_per_s", "peak_mib"}) read.erase(key);
    return read;
  };
  CHECK(without_times(folder.read("run/float.json")) == without_times(expected));

  Json table = json;
  table["data"]["format"] = "csv";
  table["data"].erase("mean");
  table["data"]["std"] = {{"sensor", {600}}};
  table["augmentation"] = Json::object();
  for (const std::string part : {"train", "test"})
    table["data"][part] = {
        {"table", part + ".csv"}, {"columns", {{"places", {"left", "right"}}, {"sensor", {"s0", "s1", "s2"}}}}, {"label", "same"}};
  table["model"] = Json::parse(R"({"inputs": [{"name": "places", "shape": [2]}, {"name": "sensor", "shape": [3]}], "layers": [
    {"op": "concat", "inputs": ["places", "sensor"], "axis": 1}, {"op": "linear", "features": 16}, {"op": "relu"},
    {"op": "linear", "features": 2}]})");
  table["shards"] = 2;
  table["data"]["validation"] = 0.2;
  table["stages"][0]["epochs"] = 40;
  CHECK(whole_way(folder, table)["test_accuracy"] > 0.9);
}

TEST_CASE("what inputs and their data can't do together is refused in one line") {
  const Pairs folder;
  const Json good = pair_experiment();
  const auto says = [&](const char* pointer, const Json& value, const std::string& reason) {
    Json json = good;
    json[Json::json_pointer(pointer)] = value;
    const std::string error = refused(folder, json);
    CHECK_MESSAGE(error.find(reason) != std::string::npos, error);
  };
  const std::string where = "stair: exp.json /data/train: data of the format 'npy': ";
  says(
      "/data/train/images", "train_left.npy",
      where + "'images' is said once, and the model has the inputs 'left', 'right', 'sensor', expected an object with a member for each\n");
  says("/data/train/images", {{"left", "train_left.npy"}, {"right", "train_right.npy"}},
       where + "'images' says nothing of the model's input 'sensor'\n");
  says("/data/train/images/lfet", "train_left.npy",
       where + "'images' names 'lfet' (did you mean 'left'?), expected an input of the model: ");
  says("/data/train/images/left", 3, "exp.json /data/train/images/left: found 3, expected a text\n");
  says("/data/train/images", Json::object(), "exp.json /data/train/images: found an object, expected a member for each input or output\n");
  says("/data/train/images/left", "train_sensor.npy", "train_sensor.npy: its images are [3], the model's input 'left' expects [1,8,8]\n");
  says("/data/train/images/left", "test_left.npy", "train_right.npy has 96 images, but ");
  says("/data/train/labels", {{"sme", "train_same.npy"}},
       where + "'labels' names 'sme', expected an output with a loss of the model: 'logits'\n");
  says("/data/format", "idx", "exp.json /data/train/images: found an object, expected a text or a list of texts\n");
  says("/data/mean", {{"lfet", {0.5}}}, "exp.json /data/mean: found 'lfet' (did you mean 'left'?), expected inputs of the model: ");
  says("/data/mean/left", {0.5, 0.5}, "exp.json /data/mean/left: found 2 numbers, expected 1\n");
  says("/data/std/sensor", {600, 0, 1}, "exp.json /data/std/sensor/1: found 0, expected more than 0\n");
  says("/data/mean", 3, "exp.json /data/mean: found 3, expected a list or an object\n");
  says("/data/mean", Json::object(), "exp.json /data/mean: found an object without members\n");
  says("/loss", {{"kind", "huber"}, {"target", "input"}},
       "exp.json /loss: the model has 3 inputs, expected one that the output is held against\n");

  Json idx = good;
  idx["data"]["format"] = "idx";
  for (const char* part : {"train", "test"}) idx["data"][part] = {{"images", "a"}, {"labels", "b"}};
  CHECK(refused(folder, idx) ==
        "stair: exp.json /data/train: data of the format 'idx': an example is one picture, and the model has the inputs 'left', 'right', "
        "'sensor', expected the format 'csv', 'npy' or 'npz'\n");

  // Other elements than in training, other means, another model.
  Json json = good;
  json["stages"].erase(0);
  json["stages"].erase(0);
  REQUIRE(tests::train_quietly(folder, json).code == 0);
  const runtime::Tensor floats({ir::DType::f32, {25, 1, 8, 8}});
  runtime::write_npy(floats.view(), folder / "floats.npy");
  Json other = json;
  other["data"]["test"]["images"]["right"] = "floats.npy";
  other["data"]["train"] = other["data"]["test"];
  other["batch"] = 10;
  folder.write("floats.json", other.dump());
  other = json;
  other["data"]["std"]["sensor"] = {601};
  folder.write("means.json", other.dump());
  for (const char* const target : {"run", "run/qat.stair"}) {
    CHECK(run_stair({"eval", target, "--data", "floats.json"}, folder.path())
              .err.find("floats.npy: its images are f32, the model is trained on u8") != std::string::npos);
    CHECK(run_stair({"eval", target, "--data", "means.json"}, folder.path()).err ==
          "stair: means.json /data: normalizes 'sensor' with mean [] and std [601], the model was trained with mean [] and std [600]\n");
  }
}

TEST_CASE("two outputs, each with its loss and metrics: trained in shards and whole, interrupted, exported, and the same everywhere") {
  const Pairs folder;
  Json json = two_outputs();
  json["data"]["validation"] = 0.25;
  json["best_by"] = "rmse:distance";
  const Json result = whole_way(folder, json);
  CHECK(result["test_accuracy"] > 0.9);
  CHECK(result["test_rmse:distance"] < 0.4);
  CHECK(result["test_mae:distance"] < result["test_rmse:distance"]);
  CHECK(result["tables"]["confusion"]["matrix"].size() == 2);
  CHECK(Json::parse(folder.read("run/float.json")).contains("best_validation_rmse:distance"));
  const std::string metrics = folder.read("run/metrics.jsonl");
  const Json epoch = Json::parse(metrics.substr(0, metrics.find('\n')));
  CHECK(std::abs(epoch["loss"].get<double>() - epoch["loss:same"].get<double>() - 2 * epoch["loss:distance"].get<double>()) < 1e-5);
  CHECK(epoch["accuracy:same"] > 0.3);
  CHECK_FALSE(epoch.contains("accuracy"));
  CHECK_FALSE(epoch.contains("accuracy:distance"));
  const Outcome ran = run_stair({"run", "run/qat.stair", "--input", "left=test_left.npy", "--input", "right=test_right.npy", "--input",
                                 "sensor=test_sensor.npy", "--output", "embedding=e.npy", "--output", "distance=d.npy"},
                                folder.path());
  CHECK(ran.out == "d.npy: f32[25,1]\ne.npy: f32[25,6]\n");
  CHECK(run_stair({"eval", "run/float.safetensors"}, folder.path()).out.find("test rmse:distance ") != std::string::npos);

  // Four shards make other sums; resuming within an epoch makes the same.
  json["shards"] = 4;
  json["checkpoint_every"] = 1;
  json["stages"].erase(2);
  json["stages"].erase(1);
  json["stages"][0]["epochs"] = 2;
  REQUIRE(tests::train_quietly(folder, json, "whole").code == 0);
  const runtime::Checkpoint within = [&] {
    Json one = json;
    one["stages"][0]["epochs"] = 1;
    REQUIRE(tests::train_quietly(folder, one, "part").code == 0);
    runtime::Checkpoint checkpoint = runtime::load_checkpoint(folder / "part/last.safetensors");
    CHECK(checkpoint.sums.size() == 2);
    CHECK(checkpoint.sums[0].loss == 0);
    return checkpoint;
  }();
  CHECK(within.correct == 0);
  folder.write("exp.json", json.dump());
  REQUIRE(run_stair({"train", "exp.json", "--run", "part", "--resume", "--quiet"}, folder.path()).code == 0);
  CHECK(folder.read("part/float.safetensors") == folder.read("whole/float.safetensors"));
}

TEST_CASE("labels by output of the other formats, and one set of labels for all outputs") {
  const Pairs folder;
  Json json = two_outputs();
  json["stages"].erase(2);
  json["stages"].erase(1);
  json["stages"][0]["epochs"] = 2;
  REQUIRE(tests::train_quietly(folder, json).code == 0);
  const std::string expected = folder.read("run/float.safetensors");
  Json arrays = json;
  arrays["data"]["format"] = "npz";
  for (const std::string part : {"train", "test"}) {
    arrays["data"][part] = {{"arrays", part + ".npz"},
                            {"images", {{"right", "right"}, {"left", "left"}, {"sensor", "sensor"}}},
                            {"labels", {{"same", "same"}, {"distance", "far"}}}};
  }
  REQUIRE(tests::train_quietly(folder, arrays).code == 0);
  CHECK(runtime::load_checkpoint(folder / "run/float.safetensors").data.size() == 10 * 9 - 1);

  Json table = json;
  table["data"] = {{"format", "csv"}};
  table["augmentation"] = Json::object();
  for (const std::string part : {"train", "test"}) {
    table["data"][part] = {{"table", part + ".csv"},
                           {"columns", {"left", "right", "s0", "s1"}},
                           {"label", {{"same", "same"}}},
                           {"values", {{"distance", {"far"}}}}};
  }
  table["data"]["std"] = {1, 1, 600, 600};
  table["model"] = Json::parse(R"({"input": {"shape": [4]}, "layers": [{"op": "linear", "features": 16}, {"op": "relu", "name": "h"},
    {"op": "linear", "name": "same", "features": 2}, {"op": "linear", "name": "distance", "inputs": ["h"], "features": 1}],
    "outputs": ["same", "distance"]})");
  table["stages"][0]["epochs"] = 30;
  REQUIRE(tests::train_quietly(folder, table).code == 0);
  const Json result = evaluated(folder, {"run"});
  CHECK(result["test_accuracy"] > 0.9);
  CHECK(result["test_rmse:distance"] < 0.2);

  // Two heads of one class.
  Json heads = table;
  heads["losses"][1] = {{"output", "distance"}, {"kind", "squared_hinge"}};
  heads["model"]["layers"].back()["features"] = 2;
  for (const char* part : {"train", "test"}) {
    heads["data"][part].erase("values");
    heads["data"][part]["label"] = "same";
  }
  heads["metrics"] = Json::parse(R"([{"kind": "confusion", "output": "distance"}])");
  heads["data"]["train"]["only"] = heads["data"]["test"]["only"] = {0, 1};
  REQUIRE(tests::train_quietly(folder, heads).code == 0);
  CHECK(evaluated(folder, {"run"})["test_accuracy:distance"] > 0.9);
}

TEST_CASE("what outputs, their losses, labels and metrics can't do together is refused in one line") {
  const Pairs folder;
  const Json good = two_outputs();
  const auto says = [&](const char* pointer, const Json& value, const std::string& reason) {
    Json json = good;
    json[Json::json_pointer(pointer)] = value;
    const std::string error = refused(folder, json);
    CHECK_MESSAGE(error.find(reason) != std::string::npos, error);
  };
  says("/loss", {{"kind", "huber"}}, "exp.json /losses: stands beside 'loss', expected one of the two\n");
  says("/losses/1/output", "distanse", "exp.json /losses/1: graph 'model' has no output 'distanse' (did you mean 'distance'?)\n");
  says("/losses/1/output", "same", "exp.json /losses/1/output: found 'same' a second time\n");
  says("/losses/1/weight", 0, "exp.json /losses/1/weight: found 0, expected more than 0\n");
  says("/losses/1/label_smoothing", 0.1, "exp.json /losses/1/label_smoothing: ");
  says("/losses/1", {{"kind", "huber"}}, "exp.json /losses/1: the key 'output' is missing, expected a text (of the model)\n");
  says("/losses", Json::array(), "exp.json /losses: found a list of 0, expected at least 1\n");
  says("/losses/0/class_weights", {1, 2, 3},
       "exp.json /losses/0: cross_entropy 'loss': class_weights has 3 numbers, expected one for each of 2");
  says("/losses/1/target", "input", "exp.json /losses/1: the model has 3 inputs, expected one that the output is held against\n");
  const std::string where = "exp.json /data/train: data of the format 'npy': ";
  says("/data/train/labels", {{"same", "train_same.npy"}},
       where + "the output 'distance' has no labels, expected 'labels' of each output with a loss\n");
  says("/data/train/labels/embedding", "train_same.npy",
       where + "'labels' names 'embedding', expected an output with a loss of the model: 'same' or 'distance'\n");
  says("/data/train/labels/same", "train_far.npy", "train_far.npy: its labels are f32[96,1], expected i32[96]\n");
  says("/data/test/labels/distance", "train_far.npy", "train_far.npy has 96 labels, but ");
  says("/metrics/0/output", "embedding",
       "exp.json /metrics/0/output: found 'embedding', expected an output with a loss: 'same' or 'distance'\n");
  says("/metrics/0/output", "same", "exp.json /metrics/0: 'mae' measures ");
  says("/metrics/1", {{"kind", "mae"}, {"output", "distance"}}, "exp.json /metrics/1: found 'mae:distance' a second time\n");
  says("/best_by", "rmse", "exp.json /best_by: found 'rmse', expected 'accuracy', 'rmse:distance', '");
}
