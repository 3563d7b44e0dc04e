// Models that read indices through an embedding and say the largest of their outputs, trained the whole way: float, calibration, QAT,
// export, eval, verify, run, and through an ONNX file.

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ir/random.h"
#include "runtime/npy.h"
#include "tests/frontend/small_experiment.h"
#include "tests/support/zip_file.h"

using namespace stair;
using ir::Json;
using tests::Outcome;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

constexpr std::int64_t words_each = 6;
constexpr std::int64_t vocabulary = 12;

std::int64_t draw_word(std::uint64_t stream, std::int64_t i, std::int64_t below) {
  return static_cast<std::int64_t>(ir::random_bits(9, stream, 0, static_cast<std::uint64_t>(i)) % static_cast<std::uint64_t>(below));
}

// Six words of twelve, and the topic that most of them are of: words 0 to 3, 4 to 7, or 8 to 11. As arrays of i64 and as a table.
void write_words(const TemporaryFolder& folder, const std::string& part, std::int64_t count) {
  const runtime::Tensor words({ir::DType::i64, {count, words_each}});
  const runtime::Tensor topics({ir::DType::u8, {count}});
  const std::uint64_t first = part == "train" ? 0 : 10;
  std::string table = "w0,w1,w2,w3,w4,w5,topic\n";
  for (std::int64_t n = 0; n < count; ++n) {
    const std::int64_t topic = draw_word(first, n, 3);
    for (std::int64_t i = 0; i < words_each; ++i) {
      const std::int64_t of = i < 4 ? topic : draw_word(first + 1, words_each * n + i, 3);
      words.as<std::int64_t>()[words_each * n + i] = 4 * of + draw_word(first + 2, words_each * n + i, 4);
      table += std::to_string(words.as<std::int64_t>()[words_each * n + i]) + ",";
    }
    topics.as<std::uint8_t>()[n] = static_cast<std::uint8_t>(topic);
    table += std::to_string(topic) + "\n";
  }
  runtime::write_npy(words.view(), folder / (part + "_words.npy"));
  runtime::write_npy(topics.view(), folder / (part + "_topics.npy"));
  folder.write(part + ".npz",
               tests::zip_file({{"words.npy", folder.read(part + "_words.npy")}, {"topics.npy", folder.read(part + "_topics.npy")}}, true));
  folder.write(part + ".csv", table);
}

struct Words : TemporaryFolder {
  Words() {
    write_words(*this, "train", 192);
    write_words(*this, "test", 60);
  }
};

Json words_experiment() {
  Json json = Json::parse(R"({"name": "words", "batch": 16, "eval_batch": 25,
    "model": {"inputs": [{"name": "words", "shape": [6], "dtype": "i32"}],
              "layers": [{"op": "embedding", "name": "table", "rows": 12, "features": 8}, {"op": "relu"},
                         {"op": "reduce_mean", "axes": [1]}, {"op": "linear", "name": "topic", "features": 3},
                         {"op": "argmax", "name": "best"}],
              "outputs": ["topic", "best"]},
    "data": {"format": "npy"},
    "stages": [{"kind": "float", "epochs": 8, "optimizer": {"kind": "adam", "learning_rate": 0.02}},
               {"kind": "calibrate", "name": "ptq", "batches": 4},
               {"kind": "qat", "epochs": 1, "optimizer": {"kind": "adam", "learning_rate": 0.002}}]})");
  for (const std::string part : {"train", "test"}) json["data"][part] = {{"images", part + "_words.npy"}, {"labels", part + "_topics.npy"}};
  return json;
}

std::string refused_words(const TemporaryFolder& folder, const Json& json) {
  const Outcome outcome = tests::train_quietly(folder, json, "refused");
  CHECK(outcome.code == 2);
  return outcome.err;
}

std::vector<std::int32_t> indices(const std::string& file) {
  const runtime::Tensor read = runtime::read_npy(file);
  REQUIRE(read.type().dtype == ir::DType::i32);
  return {read.as<std::int32_t>(), read.as<std::int32_t>() + read.count()};
}

}  // namespace

TEST_CASE("a model of indices learns in float and on integers, verifies, and runs with its class as an output") {
  const Words folder;
  Outcome outcome = tests::train_quietly(folder, words_experiment());
  CHECK(outcome.err == "");
  REQUIRE(outcome.code == 0);
  CHECK(Json::parse(folder.read("run/float.json"))["test_accuracy"] > 0.9);
  CHECK(Json::parse(folder.read("run/qat.json"))["test_accuracy"] > 0.9);
  CHECK(run_stair({"verify", "run", "run/qat.stair"}, folder.path()).code == 0);

  outcome = run_stair({"run", "run/qat.stair", "--input", "test_words.npy", "--output", "best=best.npy", "--output", "topic=topic.npy"},
                      folder.path());
  CHECK(outcome.err == "");
  CHECK(outcome.out == "best.npy: i32[60]\ntopic.npy: f32[60,3]\n");
  const runtime::Tensor topic = runtime::read_npy(folder / "topic.npy");
  const std::vector<std::int32_t> best = indices(folder / "best.npy");
  for (std::int64_t n = 0; n < 60; ++n) {
    const float* const x = topic.as<float>() + 3 * n;
    CHECK(best[static_cast<std::size_t>(n)] == std::max_element(x, x + 3) - x);
  }
  CHECK(run_stair({"run", "run/qat.stair", "--input", "test_words.npy"}, folder.path())
            .out.find("image 0: best: [" + std::to_string(best[0]) + "]") != std::string::npos);
  CHECK(run_stair({"inspect", "run/qat.stair"}, folder.path()).out.find("embedding") != std::string::npos);
  CHECK(run_stair({"bench", "run/qat.stair", "--runs", "1"}, folder.path()).code == 0);

  // Written as ONNX and read again, in float.
  REQUIRE(run_stair({"export", "run/float.safetensors", "--to", "onnx", "--allow-inexact", "-o", "float.onnx"}, folder.path()).code == 0);
  outcome = run_stair({"run", "float.onnx", "--input", "test_words.npy", "--output", "best=again.npy"}, folder.path());
  CHECK(outcome.err == "");
  const runtime::Tensor topics = runtime::read_npy(folder / "test_topics.npy");
  const std::vector<std::int32_t> again = indices(folder / "again.npy");
  std::int64_t right = 0;
  for (std::int64_t n = 0; n < 60; ++n) right += again[static_cast<std::size_t>(n)] == topics.as<std::uint8_t>()[n] ? 1 : 0;
  CHECK(static_cast<double>(right) / 60 == Json::parse(folder.read("run/float.json"))["test_accuracy"]);
  CHECK(run_stair({"export", "run/qat.safetensors", "--to", "onnx", "-o", "qat.onnx"}, folder.path()).code == 0);
}

TEST_CASE("arrays, a table and a file that stays on disk give a model the same indices") {
  const Words folder;
  Json json = words_experiment();
  json["stages"] = Json::parse(R"([{"kind": "float", "epochs": 1, "optimizer": {"learning_rate": 0.1}}])");
  REQUIRE(tests::train_quietly(folder, json, "npy").code == 0);
  for (const char* part : {"train", "test"}) json["data"][part]["in_memory"] = false;
  REQUIRE(tests::train_quietly(folder, json, "disk").code == 0);
  json["data"] = {{"format", "npz"}};
  for (const std::string part : {"train", "test"})
    json["data"][part] = {{"arrays", part + ".npz"}, {"images", "words"}, {"labels", "topics"}};
  REQUIRE(tests::train_quietly(folder, json, "npz").code == 0);
  json["data"] = {{"format", "csv"}};
  for (const std::string part : {"train", "test"}) json["data"][part] = {{"table", part + ".csv"}, {"label", "topic"}};
  REQUIRE(tests::train_quietly(folder, json, "csv").code == 0);
  const auto loss = [&](const std::string& run) { return Json::parse(folder.read(run + "/metrics.jsonl"))["loss"]; };
  for (const char* other : {"disk", "npz", "csv"}) CHECK(loss(other) == loss("npy"));
}

TEST_CASE("indices that no row has, and what no index is, are refused by file, place and range") {
  const Words folder;
  const Json json = words_experiment();
  runtime::Tensor words = runtime::read_npy(folder / "train_words.npy");
  words.as<std::int64_t>()[words_each * 5 + 2] = vocabulary;
  runtime::write_npy(words.view(), folder / "beyond.npy");
  Json other = json;
  other["data"]["train"]["images"] = "beyond.npy";
  const std::string expected = "the index of image 5 at its element 2 is 12, expected 0 to 11, a row of the embedding\n";
  CHECK(refused_words(folder, other).ends_with("beyond.npy: " + expected));
  other["data"]["train"]["in_memory"] = false;
  CHECK(refused_words(folder, other).ends_with("beyond.npy: " + expected));
  other = json;
  folder.write("bad.csv", "w0,w1,w2,w3,w4,w5,topic\n0,1,2,3,4,-5,1\n");
  other["data"] = {
      {"format", "csv"}, {"train", {{"table", "bad.csv"}, {"label", "topic"}}}, {"test", {{"table", "test.csv"}, {"label", "topic"}}}};
  CHECK(refused_words(folder, other).ends_with("bad.csv: line 2, column 'w5': found -5, expected 0 to 11, a row of the embedding\n"));
  runtime::write_npy(runtime::Tensor({ir::DType::f32, {192, words_each}}).view(), folder / "floats.npy");
  other = json;
  other["data"]["train"]["images"] = "floats.npy";
  CHECK(refused_words(folder, other).ends_with("floats.npy: holds f32[192,6], expected indices: integers [count, ...]\n"));
  other = json;
  other["data"]["mean"] = {0.5};
  CHECK(refused_words(folder, other) == "stair: exp.json /data/mean: the model's inputs are indices, which have none\n");
  other = json;
  other["model"]["layers"][0] = {{"op", "relu"}};
  CHECK(refused_words(folder, other).find("operand 'x' is i32[1,6], expected floats") != std::string::npos);
  other = json;
  other["losses"] = {{{"output", "best"}, {"kind", "mean_squared_error"}, {"target", "values"}}};
  CHECK(refused_words(folder, other).find("the output 'best' is i32[1], expected floats: nothing trains integers") != std::string::npos);

  other = json;
  other["stages"] = Json::parse(R"([{"kind": "calibrate", "batches": 2}])");
  REQUIRE(tests::train_quietly(folder, other).code == 0);
  const Outcome outcome = run_stair({"run", "run/calibrate.stair", "--input", "beyond.npy"}, folder.path());
  CHECK(outcome.code == 2);
  CHECK(outcome.err == "stair: beyond.npy: " + expected);
}
