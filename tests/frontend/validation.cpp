#include <doctest/doctest.h>

#include <algorithm>

#include "frontend/stages/evaluation.h"
#include "runtime/checkpoint.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using ir::Json;
using tests::Outcome;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

Json float_experiment(std::int64_t epochs) {
  Json json = tests::small_experiment();
  json["stages"] = Json::array({json["stages"][0]});
  json["stages"][0]["epochs"] = epochs;
  return json;
}

Outcome run_of(const TemporaryFolder& folder, const Json& json) {
  tests::write_experiment(folder);
  return tests::train_quietly(folder, json);
}

std::vector<Json> lines(const std::string& text) {
  std::vector<Json> all;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    all.push_back(Json::parse(text.substr(at, text.find('\n', at) - at)));
  return all;
}

std::string refused_with(const Json& json) {
  const TemporaryFolder folder;
  const Outcome outcome = run_of(folder, json);
  CHECK(outcome.code == 2);
  return outcome.err;
}

}  // namespace

TEST_CASE("a share of the training data validates: all examples are in one part, and a seed draws them anew") {
  const TemporaryFolder folder;
  tests::write_experiment(folder);
  Json json = tests::small_experiment();
  json["data"]["validation"] = 0.25;
  const auto load = [&](std::uint64_t seed) {
    json["seed"] = seed;
    return stages::load_data(readers::read_experiment(json, "exp.json", folder.path()), true);
  };
  const auto examples = [](const runtime::Dataset& part) {
    std::vector<std::string> all;
    std::string room(part.inputs.front().bytes(), '\0');
    for (std::int64_t i = 0; i < part.count(); ++i)
      all.push_back(
          std::string(reinterpret_cast<const char*>(part.inputs.front().read(i, reinterpret_cast<std::byte*>(room.data()))), room.size()) +
          std::to_string(part.labels.front().as<std::int32_t>()[i]));
    return all;
  };
  const stages::Data first = load(1);
  REQUIRE(first.train.count() == 72);
  REQUIRE(first.validation->count() == 24);
  CHECK(examples(*first.validation) == examples(*load(1).validation));
  CHECK(examples(*first.validation) != examples(*load(2).validation));
  json["data"].erase("validation");
  std::vector<std::string> whole = examples(load(1).train);
  std::vector<std::string> parts = examples(first.train);
  for (const std::string& example : examples(*first.validation)) parts.push_back(example);
  std::sort(whole.begin(), whole.end());
  std::sort(parts.begin(), parts.end());
  CHECK(parts == whole);
}

TEST_CASE("validation data choose the best epoch, and test data are looked at when a stage has ended") {
  for (const bool files : {false, true}) {
    const TemporaryFolder folder;
    Json json = float_experiment(4);
    json["metrics"] = {"top_5"};
    json["data"]["validation"] = files ? json["data"]["test"] : Json(0.25);
    const Outcome outcome = run_of(folder, json);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    const std::vector<Json> epochs = lines(folder.read("run/metrics.jsonl"));
    REQUIRE(epochs.size() == 4);
    double best = -1;
    std::int64_t best_step = 0;
    for (const Json& epoch : epochs) {
      CHECK_FALSE(epoch.contains("test_accuracy"));
      CHECK(epoch.contains("validation_top_5"));
      if (epoch["validation_accuracy"] > best) best_step = epoch["step"];
      best = std::max(best, epoch["validation_accuracy"].get<double>());
    }
    const Json result = Json::parse(folder.read("run/float.json"));
    CHECK(result["best_validation_accuracy"] == best);
    CHECK(result["validation_accuracy"] == epochs.back()["validation_accuracy"]);
    CHECK(result.contains("test_top_5"));
    if (files) CHECK(result["test_accuracy"] == result["validation_accuracy"]);
    CHECK(runtime::load_checkpoint(folder.path() + "/run/float.best.safetensors").step == best_step);
  }
}

TEST_CASE("without validation data nothing is chosen: every epoch is tested, and there is no best checkpoint") {
  const TemporaryFolder folder;
  REQUIRE(run_of(folder, float_experiment(2)).code == 0);
  for (const Json& epoch : lines(folder.read("run/metrics.jsonl"))) CHECK(epoch.contains("test_accuracy"));
  for (const auto& [name, bytes] : folder.files()) CHECK(name.find("best") == std::string::npos);
  CHECK_FALSE(Json::parse(folder.read("run/float.json")).contains("best_validation_accuracy"));
}

TEST_CASE("a stage without a better epoch in so many ends") {
  const TemporaryFolder folder;
  Json json = float_experiment(9);
  json["data"]["validation"] = 0.25;
  json["stages"][0]["patience"] = 2;
  json["stages"][0]["optimizer"] = {{"learning_rate", 1e-30}};  // no weight changes
  json["model"]["layers"] = Json::parse(R"([{"op": "flatten"}, {"op": "linear", "features": 4}])");
  REQUIRE(run_of(folder, json).code == 0);
  CHECK(lines(folder.read("run/metrics.jsonl")).size() == 3);  // the first is the best
  const runtime::Checkpoint end = runtime::load_checkpoint(folder.path() + "/run/float.safetensors");
  CHECK(end.step == 27);
  CHECK(end.best_step == 9);
}

TEST_CASE("what can't validate is refused") {
  Json json = float_experiment(2);
  json["stages"][0]["patience"] = 1;
  CHECK(refused_with(json) == "stair: exp.json /stages/0/patience: found 1, expected 'validation' in /data: test data choose nothing\n");
  json["data"]["validation"] = 1;
  CHECK(refused_with(json) ==
        "stair: exp.json /data/validation: found 1, expected a share of the training data, more than 0 and less than 1, or files\n");
  json["data"]["validation"] = 0.001;
  CHECK(refused_with(json) ==
        "stair: exp.json /data/validation: 0.001 of 96 training examples are 0, expected at least one there and one left\n");
  json["data"]["validation"] = {{"image", "a"}, {"labels", "b"}};
  CHECK(refused_with(json).find("/data/validation: data of the format 'idx': unknown key 'image' (did you mean 'images'?)") !=
        std::string::npos);
  json["data"]["validation"] = "test";
  CHECK(refused_with(json) == "stair: exp.json /data/validation: found \"test\", expected a number or an object\n");
}
