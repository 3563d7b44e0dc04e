// Training on mixtures of examples.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/frontend/small_experiment.h"

using namespace stair;
using ir::Json;
using tests::Outcome;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {}  // namespace

TEST_CASE("a network learns of mixtures in float and QAT, and shards see the same ones") {
  const TemporaryFolder folder;
  tests::write_experiment(folder);
  Json json = tests::small_experiment();
  json["augmentation"] = {{"mixup", 0.4}};
  json["model"] = Json::parse(R"({"input": {"shape": [1, 12, 12]}, "layers": [
    {"op": "conv2d", "out_channels": 4, "kernel": 3, "stride": 2}, {"op": "relu"}, {"op": "flatten"}, {"op": "linear", "features": 4}]})");
  json["loss"] = {{"kind", "cross_entropy"}, {"label_smoothing", 0.1}};
  json["stages"] = Json::parse(R"([{"kind": "float", "epochs": 8, "optimizer": {"learning_rate": 0.1, "momentum": 0.9}},
                                   {"kind": "qat", "epochs": 1, "optimizer": {"learning_rate": 0.01}}])");
  Outcome outcome = tests::train_quietly(folder, json, "run");
  CHECK(outcome.err == "");
  REQUIRE(outcome.code == 0);
  CHECK(Json::parse(folder.read("run/qat.json"))["test_accuracy"] > 0.8);
  json["stages"].erase(1);
  json["stages"][0]["epochs"] = 1;
  REQUIRE(tests::train_quietly(folder, json, "whole").code == 0);
  json["shards"] = 2;
  REQUIRE(tests::train_quietly(folder, json, "shards").code == 0);
  const auto loss = [&](const std::string& run) { return Json::parse(folder.read(run + "/metrics.jsonl"))["loss"].get<double>(); };
  CHECK(loss("shards") == doctest::Approx(loss("whole")).epsilon(1e-4));

  json["loss"] = {{"kind", "squared_hinge"}};
  CHECK(tests::train_quietly(folder, json, "refused").err ==
        "stair: exp.json /loss: the loss 'squared_hinge' knows no mixtures of labels, expected 'cross_entropy' with 'mixup'\n");
  json["loss"] = {{"kind", "cross_entropy"}, {"class_weights", {1, 1, 1, 2}}};
  CHECK(tests::train_quietly(folder, json, "refused").err ==
        "stair: exp.json /loss: 'mixup' mixes labels, expected outputs [N, classes] and no 'class_weights'\n");
}
