// Values that a loss standardizes, whose model yields them in their own units; and what is said of parameters that nothing trains.

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "frontend/readers/json_file.h"
#include "ir/random.h"
#include "runtime/npy.h"
#include "tests/frontend/process.h"

using namespace stair;
using ir::Json;
using tests::Outcome;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

// y is near 1000, z near -3 and a thousand times finer.
void write_units(const TemporaryFolder& folder, const std::string& part, std::int64_t count) {
  std::string table = "a,b,y,z\n";
  const runtime::Tensor inputs({ir::DType::f32, {count, 2}});
  for (std::int64_t n = 0; n < count; ++n) {
    float* const x = inputs.as<float>() + 2 * n;
    for (std::int64_t i = 0; i < 2; ++i)
      x[i] = 2 * ir::random_uniform(part == "train" ? 1 : 2, 3, 0, static_cast<std::uint64_t>(2 * n + i)) - 1;
    table += std::to_string(x[0]) + "," + std::to_string(x[1]) + "," + std::to_string(1000 + 50 * (x[0] - x[1])) + "," +
             std::to_string(-3 + 0.01 * static_cast<double>(x[0])) + "\n";
  }
  folder.write(part + ".csv", table);
  runtime::write_npy(inputs.view(), folder / (part + ".npy"));
}

Json units_experiment() {
  Json json = Json::parse(R"({"name": "units", "batch": 16, "metrics": ["mae"],
    "model": {"input": {"shape": [2]}, "layers": [{"op": "linear", "name": "hidden", "features": 16}, {"op": "relu"},
                                                  {"op": "linear", "name": "out", "features": 2}]},
    "data": {"format": "csv"},
    "loss": {"kind": "mean_squared_error", "target": "values", "mean": [1000, -3], "std": [30, 0.006]},
    "stages": [{"kind": "float", "epochs": 15, "optimizer": {"kind": "adam", "learning_rate": 0.01}},
               {"kind": "qat", "epochs": 2, "optimizer": {"kind": "adam", "learning_rate": 0.002}}]})");
  for (const std::string part : {"train", "test"})
    json["data"][part] = {{"table", part + ".csv"}, {"values", {"y", "z"}}, {"columns", {"a", "b"}}};
  return json;
}

Outcome train_units(const TemporaryFolder& folder, const Json& json, bool quiet = true) {
  folder.write("exp.json", json.dump());
  std::vector<std::string> words{"train", "exp.json", "--run", "run", "--overwrite", "--threads", "1"};
  if (quiet) words.emplace_back("--quiet");
  return run_stair(words, folder.path());
}

}  // namespace

TEST_CASE("standardized values are learned, and eval, run and the artifact have them in their own units") {
  const TemporaryFolder folder;
  write_units(folder, "train", 192);
  write_units(folder, "test", 48);
  const Json json = units_experiment();
  Outcome outcome = train_units(folder, json);
  CHECK(outcome.err == "");
  REQUIRE(outcome.code == 0);
  const double error = Json::parse(folder.read("run/qat.json"))["test_rmse"];
  CHECK(error < 5);  // of values that spread by 41
  CHECK(run_stair({"verify", "run", "run/qat.stair"}, folder.path()).code == 0);
  const Outcome measured = run_stair({"eval", "run/qat.stair", "--data", "exp.json", "--json"}, folder.path());
  REQUIRE(measured.code == 0);
  CHECK(Json::parse(measured.out)["test_rmse"] == error);

  REQUIRE(run_stair({"run", "run/qat.stair", "--input", "test.npy", "--output", "y.npy"}, folder.path()).code == 0);
  const runtime::Tensor x = runtime::read_npy(folder / "test.npy");
  const runtime::Tensor y = runtime::read_npy(folder / "y.npy");
  for (std::int64_t n = 0; n < 48; ++n) {
    const float* const in = x.as<float>() + 2 * n;
    const float* const out = y.as<float>() + 2 * n;
    CHECK(std::abs(out[0] - (1000 + 50 * (in[0] - in[1]))) < 20);
    CHECK(std::abs(out[1] - (-3 + 0.01F * in[0])) < 0.004F);
  }
  // A longer run goes on from it.
  CHECK(run_stair({"train", "exp.json", "--run", "run", "--resume", "--quiet", "--set", "stages.1.epochs=3"}, folder.path()).code == 0);
}

TEST_CASE("what standardizes nothing is refused, and parameters that only an output without a loss reads are told") {
  const TemporaryFolder folder;
  write_units(folder, "train", 32);
  write_units(folder, "test", 16);
  Json json = units_experiment();
  json["loss"]["std"] = {1, 2, 3};
  CHECK(train_units(folder, json).err == "stair: exp.json /loss: 'std' has 3 numbers, expected 1 or 2\n");
  json["loss"]["std"] = {0};
  CHECK(train_units(folder, json).err.starts_with("stair: exp.json /loss/std/0: found 0"));
  json["loss"]["std"] = {1e-50};
  CHECK(train_units(folder, json).err.starts_with("stair: exp.json /loss: 'std' holds "));
  json["loss"] = Json::parse(R"({"kind": "mean_squared_error", "mean": [1]})");
  CHECK(train_units(folder, json).err == "stair: exp.json /loss: 'mean' and 'std' are of values, expected the target 'values'\n");

  json = units_experiment();
  json["stages"].erase(1);
  json["stages"][0]["epochs"] = 1;
  CHECK(train_units(folder, json, false).out.find("not trained") == std::string::npos);
  json["model"]["layers"].push_back({{"op", "linear"}, {"name", "more"}, {"inputs", {"hidden"}}, {"features", 3}});
  json["model"]["outputs"] = {"out", {{"name", "embedding"}, {"layer", "more"}}};
  const Outcome outcome = train_units(folder, json, false);
  CHECK(outcome.code == 0);
  CHECK(outcome.out.starts_with(
      "not trained: 'more.weight', 'more.bias', which only the output without a loss reads ('embedding'), and which stay as they are\n"));
}
